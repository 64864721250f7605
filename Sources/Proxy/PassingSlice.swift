import Caching

/// What a client gets of a body that passes by: all of it, or a slice.
struct PassingSlice {
    private var skipped: Int
    private var rest: Int

    /// - Parameter slice: The bytes to take; `nil`: all.
    init(_ slice: BodySlice?) {
        skipped = slice?.start ?? 0
        rest = slice?.count ?? .max
    }

    /// Whether no more bytes are wanted.
    var isDone: Bool { rest == 0 }

    /// The wanted ones of the next `count` bytes of the body.
    mutating func take(_ count: Int) -> Range<Int> {
        let from = min(skipped, count)
        skipped -= from
        let taken = min(rest, count - from)
        if rest < .max { rest -= taken }
        return from..<from + taken
    }
}
