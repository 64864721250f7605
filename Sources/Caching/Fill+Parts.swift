import HTTPModel
import Primitives

extension Fill {
    /// What of the answer this fetch carries, and what the origin said: known once the head is there.
    public struct Origin: Sendable, BitwiseCopyable {
        /// The bytes that the segments are; `nil`: all.
        public let part: BodySlice?
        /// The origin's status, where it is not that of the head: a 206 that makes an answer whole.
        public let status: UInt16?
    }

    /// What of the answer this fetch carries.
    public var origin: Origin { state.withLock { $0.origin } }

    /// Keeps what has come of an answer that broke off, when the rest can be asked for: its length is known, its
    /// validator is strong, and the origin has not said that it serves no ranges (RFC 9111 §3.3).
    func keepReceived(at now: MonotonicTime) {
        guard keepsParts else { return }
        let received = state.withLock { state -> (CachedHead, [[UInt8]], BodySlice)? in
            guard case .streaming(let head) = state.phase, state.keepsAll, head.isStorable,
                head.status == 200, state.received > 0
            else { return nil }
            let start = state.origin.part?.start ?? 0
            return (head, state.segments, BodySlice(start, start + state.received))
        }
        guard let (head, segments, slice) = received, head.acceptRanges != .none,
            let length = head.contentLength.flatMap({ Int(exactly: $0) }), slice.end < length,
            StrongValidator(of: head) != nil
        else { return }
        _ = store.complete(
            self, withPart: Fill.part(head, segments, slice, of: length, at: now))
    }

    /// An answer of which only `slice` is there.
    static func part(
        _ head: CachedHead, _ segments: [[UInt8]], _ slice: BodySlice, of length: Int,
        at now: MonotonicTime
    ) -> StoredResponse {
        let complete = CachedHead(head, bodyCount: length, finished: now)
        let parts = BodyParts([slice], of: length)
        return StoredResponse(
            head: complete, body: Fill.joined(segments), parts: parts.areWhole ? nil : parts)
    }
}
