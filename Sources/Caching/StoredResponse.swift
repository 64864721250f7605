import HTTPModel
public import Primitives
import Synchronization

/// An answer in the cache, or parts of one: immutable, shared by reference between workers.
///
///     head.bytes   HTTP/1.1 200 OK␍␊ETag: "a"␍␊Content-Length: 5␍␊
///     body         [ 256 KiB ][ 256 KiB ][ rest ]
///     encoded      br ──► head, body       gzip ──► head, body       each added once, or never
public final class StoredResponse: Sendable {
    /// The head, with its keys and times.
    public let head: CachedHead
    /// The body in its order; none of the segments is empty.
    public let body: [[UInt8]]
    /// Which parts of the body are there; `nil`: all of it.
    public let parts: BodyParts?
    /// Whether all of the body is there.
    public let isWhole: Bool
    /// The length of what is there of the body, in bytes.
    public let bodyCount: Int
    /// What it costs of the store's budget: head, body, keys, and what memory and index add, in bytes. Its
    /// encoded variants are counted for themselves.
    public let byteCost: Int
    /// How long it may be used, after soft purges and the factor of lifetimes; the head has what it came with.
    public let lifetime: Lifetime
    /// The age from which on a soft purge has made it stale.
    let staleFrom: Nanoseconds?
    let encoded: EncodedVariants

    /// Joins a head and a body; of a body in `parts` the head is that of the whole.
    public init(head: CachedHead, body: [[UInt8]], parts: BodyParts? = nil) {
        self.parts = parts
        isWhole = parts == nil
        self.head = head
        self.body = body
        lifetime = head.lifetime
        staleFrom = nil
        encoded = EncodedVariants()
        bodyCount = body.reduce(0) { $0 + $1.count }
        byteCost =
            ByteCost.entry + ByteCost.block(head.bytes.capacity) + ByteCost.block(head.key.capacity)
            + ByteCost.block(head.variant.names.capacity)
            + ByteCost.block(head.variant.values.capacity) + ByteCost.block(head.unsent.capacity)
            + ByteCost.block(head.tags.bytes.capacity)
            + ByteCost.block(body.capacity * MemoryLayout<[UInt8]>.stride)
            + ByteCost.block((parts?.slices.capacity ?? 0) * MemoryLayout<BodySlice>.stride)
            + body.reduce(0) { $0 + ByteCost.block($1.capacity) }
    }

    /// The same answer, which shares everything with `other`, for another time.
    private init(_ other: StoredResponse, lifetime: Lifetime, staleFrom: Nanoseconds?) {
        head = other.head
        body = other.body
        parts = other.parts
        isWhole = other.isWhole
        bodyCount = other.bodyCount
        byteCost = other.byteCost
        encoded = other.encoded
        self.lifetime = lifetime
        self.staleFrom = staleFrom
    }

    /// This answer with its lifetime multiplied by `factor` (in thousandths), and stale from the age it has at
    /// `moment` on.
    ///
    /// What is multiplied is the time it had left on arrival. An answer that had none, or must be validated on
    /// each use, gets none.
    func adjusted(factor: UInt32, staleSince moment: MonotonicTime? = nil) -> StoredResponse {
        var staleFrom = staleFrom
        if let moment { staleFrom = min(staleFrom ?? .forever, age(at: moment)) }
        var lifetime = head.lifetime
        let left = lifetime.fresh - head.initialAge
        if factor != 1000 && left > .zero {
            let product = left.count.multipliedFullWidth(by: UInt64(factor))
            let scaled =
                product.high < 1000 ? UInt64(1000).dividingFullWidth(product).quotient : .max
            lifetime.fresh = head.initialAge + Nanoseconds(scaled)
        }
        if let staleFrom { lifetime.fresh = min(lifetime.fresh, staleFrom) }
        if lifetime.fresh == self.lifetime.fresh && staleFrom == self.staleFrom { return self }
        return StoredResponse(self, lifetime: lifetime, staleFrom: staleFrom)
    }

    /// The answer after a validation: the body and what was made of it stay.
    convenience init(
        head: CachedHead, body: [[UInt8]], parts: BodyParts?, encodedAs former: StoredResponse
    ) {
        self.init(head: head, body: body, parts: parts)
        guard head.isEncodable else { return }
        for coding in ContentCoding.allCases {
            guard let variant = former.encoded[coding], encoded.claim(coding) else { continue }
            encoded.put(EncodedVariant(coding, of: head, body: variant.body))
        }
    }

    /// Whether its primary key is `key`, compared in full.
    func hasKey(_ key: Span<UInt8>) -> Bool {
        let own = head.key
        return own.span.equals(key)
    }

    /// The age at `now`: `current_age` of RFC 9111 §4.2.3. It never falls while the clock runs.
    public func age(at now: MonotonicTime) -> Nanoseconds {
        head.initialAge + (now - head.received)
    }

    /// How fresh it is at `now` (RFC 9111 §4.2).
    public func freshness(at now: MonotonicTime) -> Freshness {
        let age = age(at: now)
        return age < lifetime.fresh
            ? .fresh(ttl: lifetime.fresh - age) : .stale(by: age - lifetime.fresh)
    }

    /// Whether it may be served stale at `now` while it is fetched again (RFC 5861 §3).
    public func mayServeStale(whileRevalidatingAt now: MonotonicTime) -> Bool {
        age(at: now) < lifetime.fresh + lifetime.staleWhileRevalidate
            && !lifetime.mustValidate
    }

    /// Whether it may be served at `now` in place of an error of the origin (RFC 5861 §4, cases `5861-4-…`):
    /// 500, 502, 503, 504 or no answer at all.
    ///
    /// - Parameters:
    ///   - now: The present.
    ///   - demands: The request's directives, empty where the policy does not listen to clients. Their
    ///     `stale-if-error` allows for that request what the origin does not forbid.
    /// - Returns: Whether it may be served.
    public func mayServeStale(
        onErrorAt now: MonotonicTime, demands: CacheDirectives = CacheDirectives()
    ) -> Bool {
        var most = lifetime.staleIfError
        if let asked = demands.staleIfError, !lifetime.forbidsStale {
            most = max(most, .seconds(UInt64(asked)))
        }
        return age(at: now) < lifetime.fresh + most && !lifetime.mustValidate
    }
}

extension StoredResponse {
    /// Whether it is of no use any more at `now`: expired, past all that it may be served stale, and without a
    /// validator to ask the origin with.
    func isSpent(at now: MonotonicTime) -> Bool {
        guard case .stale = freshness(at: now) else { return false }
        return !mayServeStale(onErrorAt: now) && !mayServeStale(whileRevalidatingAt: now)
            && head.etagRange == nil && head.lastModifiedRange == nil
    }
}

/// Whether an answer is fresh, and for how long (RFC 9111 §4.2).
public enum Freshness: Sendable, BitwiseCopyable, Equatable {
    /// Fresh for this long, more than zero.
    case fresh(ttl: Nanoseconds)
    /// Stale since this long.
    case stale(by: Nanoseconds)

    /// Seconds to live for Cache-Status, below zero when stale (RFC 9211 §2.4).
    public var seconds: Int64 {
        switch self {
        case .fresh(let ttl): Int64(clamping: ttl.wholeSeconds)
        case .stale(let time): -Int64(clamping: time.wholeSeconds)
        }
    }
}

/// What memory really costs.
enum ByteCost {
    /// The entry's three objects with their allocator's words, its node in a table that doubles, and its
    /// slots of an index that is half full.
    static let entry = 144 + 320 + 64 + MemoryLayout<StoreNode>.stride * 3 / 2 + 24

    /// An encoded variant's object with its allocator's words.
    static let encodedVariant = 96

    /// A block of an array: 32 bytes of header, 8 of the allocator, in steps of 16; nothing when empty.
    static func block(_ capacity: Int) -> Int {
        capacity == 0 ? 0 : (capacity + 40 + 15) & ~15
    }
}
