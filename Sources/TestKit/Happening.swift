import Primitives

/// Something that will happen in the simulated network at its time.
enum Happening {
    /// Bytes arrive. Those of an older epoch were overtaken by a reset and are lost.
    case segment(to: Socket, bytes: [UInt8], epoch: Int)
    /// The peer's last byte has arrived; `gone`: a Unix socket whose peer has closed both
    /// directions.
    case end(to: Socket, gone: Bool, epoch: Int)
    /// The connection breaks with this error number.
    case failure(of: Socket, number: Int32)
    /// A request to connect arrives at whoever listens.
    case request(from: Socket, to: SocketAddress, attempt: Int)
    /// A connect has succeeded.
    case established(Socket)
    /// The peer's program has read bytes; the sender learns of the space.
    case space(at: Socket, count: Int)
    /// Bytes that a short read left come into sight.
    case reveal(Socket)
    /// What a test wanted to happen now.
    case action(() -> Void)
}

/// Happenings by time; those of one time in the order they were added. A binary heap.
struct Agenda {
    private struct Entry {
        let time: UInt64
        let order: UInt64
        let happening: Happening

        func isBefore(_ other: Entry) -> Bool {
            time != other.time ? time < other.time : order < other.order
        }
    }

    private var entries: [Entry] = []
    private var added: UInt64 = 0

    /// The time of the first, or `.max`.
    var next: UInt64 { entries.first?.time ?? .max }

    mutating func add(_ happening: Happening, at time: UInt64) {
        // The end of time never comes.
        guard time != .max else { return }
        entries.append(Entry(time: time, order: added, happening: happening))
        added += 1
        var index = entries.count - 1
        while index > 0, entries[index].isBefore(entries[(index - 1) / 2]) {
            entries.swapAt(index, (index - 1) / 2)
            index = (index - 1) / 2
        }
    }

    /// Takes out the first, if its time has come.
    mutating func popDue(at now: UInt64) -> Happening? {
        guard let first = entries.first, first.time <= now else { return nil }
        let last = entries.removeLast()
        if !entries.isEmpty {
            entries[0] = last
            siftDown()
        }
        return first.happening
    }

    private mutating func siftDown() {
        var index = 0
        while true {
            var least = index
            for child in (2 * index + 1)..<(2 * index + 3)
            where child < entries.count && entries[child].isBefore(entries[least]) {
                least = child
            }
            if least == index { return }
            entries.swapAt(index, least)
            index = least
        }
    }
}
