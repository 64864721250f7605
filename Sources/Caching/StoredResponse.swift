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
    let encoded = EncodedVariants()

    /// Joins a head and a body; of a body in `parts` the head is that of the whole.
    public init(head: CachedHead, body: [[UInt8]], parts: BodyParts? = nil) {
        self.parts = parts
        isWhole = parts == nil
        self.head = head
        self.body = body
        bodyCount = body.reduce(0) { $0 + $1.count }
        byteCost =
            ByteCost.entry + ByteCost.block(head.bytes.capacity) + ByteCost.block(head.key.capacity)
            + ByteCost.block(head.variant.names.capacity)
            + ByteCost.block(head.variant.values.capacity)
            + ByteCost.block(body.capacity * MemoryLayout<[UInt8]>.stride)
            + ByteCost.block((parts?.slices.capacity ?? 0) * MemoryLayout<BodySlice>.stride)
            + body.reduce(0) { $0 + ByteCost.block($1.capacity) }
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
        return age < head.lifetime.fresh
            ? .fresh(ttl: head.lifetime.fresh - age) : .stale(by: age - head.lifetime.fresh)
    }

    /// Whether it may be served stale at `now` while it is fetched again (RFC 5861 §3).
    public func mayServeStale(whileRevalidatingAt now: MonotonicTime) -> Bool {
        age(at: now) < head.lifetime.fresh + head.lifetime.staleWhileRevalidate
            && !head.lifetime.mustValidate
    }

    /// Whether it may be served at `now` in place of an error of the origin (RFC 5861 §4): 500, 502, 503,
    /// 504 or no answer at all.
    public func mayServeStale(onErrorAt now: MonotonicTime) -> Bool {
        age(at: now) < head.lifetime.fresh + head.lifetime.staleIfError
            && !head.lifetime.mustValidate
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
    /// The entry's two objects with their allocator's words, its node in a table that doubles, and its
    /// slots of an index that is half full.
    static let entry = 64 + 288 + MemoryLayout<StoreNode>.stride * 3 / 2 + 24

    /// An encoded variant's object with its allocator's words.
    static let encodedVariant = 96

    /// A block of an array: 32 bytes of header, 8 of the allocator, in steps of 16; nothing when empty.
    static func block(_ capacity: Int) -> Int {
        capacity == 0 ? 0 : (capacity + 40 + 15) & ~15
    }
}
