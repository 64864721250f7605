import HTTPModel
public import Primitives

/// A running fetch shared by its leader and all readers, on any workers.
///
/// The fill belongs to the cache, not to the client whose request began it: that client is one of the
/// readers and may leave. The leader publishes the head, appends the body and finishes; readers follow as it
/// arrives. Bytes are append-only and handed out by reference. An answer that may not be shared releases
/// all readers but the first client's. One that is too large to keep becomes a window of 1 MiB.
///
/// Every fill must be ended by `finish`, `complete`, `fail` or `release`; what comes after the first of them
/// does nothing, so that a leader may `defer { fill.fail(.abandoned, at: …) }`. Wake closures are called from
/// any thread, outside of all locks, once for each wait.
public final class Fill: Sendable {
    /// The primary key.
    public let key: [UInt8]
    /// The stored answer that is being validated or refreshed, if any.
    public let stored: StoredResponse?
    /// Other variants of the key that the origin may name instead.
    let others: [StoredResponse]
    /// Why the request that began it goes upstream.
    public let reason: CacheStatus.Forward
    /// The stored parts of the answer, if there are any and no whole one.
    public let parts: StoredResponse?
    /// Whether it asks for what its client does, a part, and not for the whole.
    public let isForPart: Bool
    /// Whether what has come of an answer that broke off may be kept: its request is a GET.
    let keepsParts: Bool
    /// When the fetch began.
    public let started: MonotonicTime
    /// Whether other requests may wait for it.
    let isCollapsing: Bool
    /// Whether the key says who asks; without, only the answer's own word opens it to requests with
    /// credentials (RFC 9111 §3.5).
    let hasIdentity: Bool
    let tag: UInt64
    let base: UInt64
    let passTag: UInt64
    private let expected: VariantKey?
    let bytesMax: Int
    let store: MemoryStore
    let state: Guarded<FillState>

    init(
        store: MemoryStore, key: [UInt8], tag: UInt64, base: UInt64, passTag: UInt64,
        stored: StoredResponse?, others: [StoredResponse] = [],
        reason: CacheStatus.Forward = .uriMiss, parts: StoredResponse?, isForPart: Bool,
        keepsParts: Bool, expected: VariantKey?, isCollapsing: Bool, hasIdentity: Bool,
        bytesMax: Int, started: MonotonicTime
    ) {
        self.store = store
        self.key = key
        self.tag = tag
        self.base = base
        self.passTag = passTag
        self.stored = stored
        self.others = others
        self.reason = reason
        self.parts = parts
        self.isForPart = isForPart
        self.keepsParts = keepsParts
        self.expected = expected
        self.isCollapsing = isCollapsing
        self.bytesMax = bytesMax
        self.started = started
        self.hasIdentity = hasIdentity
        state = Guarded(FillState(isShared: isCollapsing))
    }

    /// Whether its primary key is `key`, compared in full.
    func hasKey(_ key: Span<UInt8>) -> Bool {
        let own = self.key
        return own.span.equals(key)
    }

    /// The head of its answer, once there is one.
    var head: CachedHead? { state.withLock { $0.head } }

    /// Whether no more readers fit.
    var isFull: Bool { state.withLock { $0.readerCount >= CacheBounds.readersPerFill } }

    /// Whether a request may wait for this fill as far as is known: answers to it may vary.
    func suits(_ request: borrowing FieldList) -> Bool {
        var scratch: [UInt8] = []
        let known = state.withLock { $0.head?.variant } ?? expected
        return known?.matches(request, scratch: &scratch) ?? true
    }
}
