import Caching
import Identity
import Primitives

/// The body of a request, as far as it was read before its verdict: for a key that says it.
///
/// Small content costs a pooled buffer. What is larger is counted in the process (`SharedState.heldBodies`).
struct RequestContent {
    enum State {
        /// Nothing was read: the body is still the connection's.
        case unread
        /// All of it is here, without its framing.
        case whole
        /// It is not to be held; what is here comes before the connection's rest.
        case cut(CacheBypass)
    }

    var state = State.unread
    /// What was read, kept until the request has ended.
    let bytes = ByteBuffer(capacity: 64)
    /// The digest of the content that is whole.
    private(set) var digest = ContentDigest((0, 0, 0, 0))
    /// Bytes counted in the process.
    private(set) var held = 0

    var isWhole: Bool {
        if case .whole = state { return true }
        return false
    }

    /// A copy of what was read.
    var copied: [UInt8] {
        // The buffer for itself: a span must not depend on the value that holds it.
        let bytes = bytes
        return bytes.readable.copied
    }

    /// Notes that all has come.
    mutating func end() {
        state = .whole
        digest = ContentDigest(SHA256Digest(of: bytes.readable).words)
    }

    /// Counts room for `count` bytes in all; `false` when the process has none.
    mutating func hold(_ count: Int, in shared: SharedState) -> Bool {
        let more = count - Bounds.pooledBuffer - held
        if more <= 0 { return true }
        guard shared.holdBody(more) else { return false }
        held += more
        return true
    }

    /// Forgets the content.
    mutating func forget(in shared: SharedState) {
        if held > 0 { shared.releaseBody(held) }
        held = 0
        state = .unread
        bytes.removeAll()
        bytes.shrink(to: Bounds.pooledBuffer)
    }
}
