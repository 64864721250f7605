import RedisWire
import Settings

/// Which master of a cluster has which slots, and who follows it.
struct RedisTopology {
    /// Some slots in a row and their servers.
    struct Part {
        var slots: ClosedRange<Int>
        var master: RedisSettings.Place
        var replicas: [RedisSettings.Place]
    }
    let parts: [Part]

    /// Reads the reply to CLUSTER SLOTS of the server at `asked`; `nil` when it is none.
    init?(_ reply: RedisReply, from asked: RedisSettings.Place) {
        guard let ranges = reply.elements else { return nil }
        var parts: [Part] = []
        for range in ranges {
            guard let range = range.elements, range.count >= 3,
                let first = range[0].integer.map(Int.init),
                let last = range[1].integer.map(Int.init),
                first >= 0, first <= last, last < RedisSlot.count,
                let master = RedisTopology.place(range[2], from: asked)
            else { return nil }
            let replicas = range.dropFirst(3).compactMap { RedisTopology.place($0, from: asked) }
            parts.append(Part(slots: first...last, master: master, replicas: replicas))
        }
        self.parts = parts
    }

    /// Slots that nobody has, those in a row together.
    var missing: [ClosedRange<Int>] {
        var missing: [ClosedRange<Int>] = []
        var next = 0
        for slots in parts.map(\.slots).sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if slots.lowerBound > next { missing.append(next...(slots.lowerBound - 1)) }
            next = max(next, slots.upperBound + 1)
        }
        if next < RedisSlot.count { missing.append(next...(RedisSlot.count - 1)) }
        return missing
    }

    /// `[address, port, identifier, …]`.
    private static func place(
        _ reply: RedisReply, from asked: RedisSettings.Place
    ) -> RedisSettings.Place? {
        guard let server = reply.elements, server.count >= 2,
            let port = server[1].integer.flatMap(UInt16.init(exactly:))
        else { return nil }
        return RedisRedirect.place(server[0].text ?? "", port, from: asked)
    }
}
