import Caching
import Primitives
import RedisWire

extension PurgePosition {
    /// Reads generation and number out of an answer; `nil` when they are none.
    init?(_ generation: RedisReply, _ sequence: RedisReply) {
        guard let generation = generation.integer, let sequence = sequence.integer,
            let generation = UInt64(exactly: generation), let sequence = UInt64(exactly: sequence)
        else { return nil }
        self.init(checking: generation, sequence)
    }
}

extension PurgePage {
    /// Reads the answer of `FleetScripts.read`; `nil` when it is none.
    init?(_ reply: RedisReply) {
        guard let parts = reply.elements, parts.count == 4,
            let end = PurgePosition(parts[0], parts[1]), let first = parts[2].integer,
            let first = UInt64(exactly: first), let list = parts[3].elements
        else { return nil }
        var entries: [PurgeEntry] = []
        for item in list {
            guard let entry = PurgeEntry(item) else { return nil }
            entries.append(entry)
        }
        self.init(end: end, first: first, entries: entries)
    }
}

extension PurgeEntry {
    /// Reads an entry of the stream: `number-0`, and a list of `g`, generation, `r`, record.
    fileprivate init?(_ item: RedisReply) {
        guard let parts = item.elements, parts.count == 2, let name = parts[0].bytes,
            let fields = parts[1].elements, fields.count >= 4, let line = fields[3].bytes,
            let generation = fields[1].integer, let generation = UInt64(exactly: generation)
        else { return nil }
        let number = name.prefix { $0 != UInt8(ascii: "-") }
        guard let sequence = UInt64(String(decoding: number, as: UTF8.self)),
            let position = PurgePosition(checking: generation, sequence)
        else { return nil }
        self.init(at: position, line: line.span)
    }
}

/// What is said after a sign of life.
struct FleetBeat: Equatable {
    /// Processes that live, this one among them.
    var replicas: Int
    /// The last purge; `nil`: there is none.
    var end: PurgePosition?

    /// Reads the answer of `FleetScripts.beat`; `nil` when it is none.
    init?(_ reply: RedisReply) {
        guard let parts = reply.elements, let count = parts.first?.integer, count > 0 else {
            return nil
        }
        replicas = Int(clamping: count)
        if parts.count == 3 { end = PurgePosition(parts[1], parts[2]) }
    }
}
