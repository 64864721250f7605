/// The bounds of replies; beyond them a connection cannot go on.
public struct ReplyBounds: Sendable, Equatable {
    /// Bytes of one reply as it is sent.
    public var bytes = Bounds.replyBytes
    /// Elements of one reply, those of arrays inside of it counted too.
    public var elements = Bounds.replyElements

    /// Creates bounds with the defaults.
    public init() {}
}

/// The bounds of the codec.
enum Bounds {
    /// Bytes of one reply: the largest object of the cache's second level with its head, and room.
    static let replyBytes = 72 << 20
    /// Elements of one reply.
    static let replyElements = 1 << 20
    /// Arrays that enclose an array; hiredis 0.14 has the same bound.
    static let depth = 8
    /// Bytes of a line: a status, an error, an integer, a length.
    static let lineBytes = 64 << 10
    /// Digits of a length with its sign, and the end of the line.
    static let lengthBytes = 24
    /// Elements for which room is made before any of them has come.
    static let reservedElements = 1024
}
