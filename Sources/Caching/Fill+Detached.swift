import HTTPModel
public import Primitives

extension MemoryStore {
    /// A fill for one client alone, under no key: nothing finds it, and nothing of it is stored.
    ///
    /// - Returns: The fill, and the client's place in it.
    public func detachedFill(at now: MonotonicTime) -> (fill: Fill, reader: FillReader) {
        let fill = Fill(
            store: self, key: [], tag: 0, base: 0, passTag: 0, stored: nil, parts: nil,
            isForPart: false, keepsParts: false, expected: nil,
            isCollapsing: false, hasIdentity: true, bytesMax: 0, started: now)
        guard let reader = fill.joinAsOwner() else {
            preconditionFailure("a new fill has no reader yet")
        }
        return (fill, reader)
    }
}

extension StoredResponse {
    /// A whole answer that was passed on, head and body as they came.
    public convenience init(passed head: CachedHead, body: [[UInt8]], finished: MonotonicTime) {
        let joined = Fill.joined(body)
        let count = joined.reduce(0) { $0 + $1.count }
        self.init(
            head: CachedHead(head, bodyCount: count, finished: finished), body: joined)
    }
}
