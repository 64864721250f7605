import RedisWire
import Settings

/// Which master of a cluster has which slots.
struct RedisTopology {
    /// Some slots in a row and their master.
    struct Part {
        var slots: ClosedRange<Int>
        var master: RedisSettings.Place
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
                let master = range[2].elements, master.count >= 2,
                let port = master[1].integer.flatMap(UInt16.init(exactly:))
            else { return nil }
            parts.append(
                Part(
                    slots: first...last,
                    master: RedisRedirect.place(master[0].text ?? "", port, from: asked)))
        }
        self.parts = parts
    }
}
