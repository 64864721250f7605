public import Primitives

/// What the cache did, for the field Cache-Status (RFC 9211, cases `9211-2.2-…`).
///
///     Cache-Status: weir; hit; ttl=288
///     Cache-Status: weir; fwd=uri-miss; fwd-status=200; stored; collapsed
public struct CacheStatus: Sendable, BitwiseCopyable {
    /// Why a request went upstream (RFC 9211 §2.2).
    public enum Forward: UInt8, Sendable, BitwiseCopyable {
        /// The cache was told not to handle it.
        case bypass
        /// The method is one that goes upstream.
        case method
        /// Nothing is stored for the target.
        case uriMiss
        /// Answers are stored, but none for these request fields.
        case varyMiss
        /// Nothing that is stored can be used, for a reason that the detail tells.
        case miss
        /// A fresh answer is stored, but the request itself asks for more.
        case request
        /// What is stored is stale.
        case stale
        /// Parts of the answer are stored, and not all that is asked for.
        case partial

        /// The token.
        public var name: StaticString {
            switch self {
            case .bypass: "bypass"
            case .method: "method"
            case .uriMiss: "uri-miss"
            case .varyMiss: "vary-miss"
            case .miss: "miss"
            case .request: "request"
            case .stale: "stale"
            case .partial: "partial"
            }
        }
    }

    /// Why it went upstream; `nil`: it was a hit.
    public var forward: Forward?
    /// The status the origin answered, when it went upstream.
    public var forwardStatus: UInt16?
    /// Seconds to live, below zero when served stale.
    public var ttl: Int64?
    /// Whether the answer was stored.
    public var isStored = false
    /// Whether the request shared another one's fetch.
    public var isCollapsed = false
    /// A word that says more: a bypass, a refusal, `swr`.
    public var detail: StaticString?

    /// A hit with its seconds to live.
    public static func hit(ttl: Int64, detail: StaticString? = nil) -> CacheStatus {
        var status = CacheStatus()
        status.ttl = ttl
        status.detail = detail
        return status
    }

    /// A request that went upstream.
    public static func forwarded(
        _ reason: Forward, status: UInt16? = nil, stored: Bool = false, collapsed: Bool = false,
        ttl: Int64? = nil, detail: StaticString? = nil
    ) -> CacheStatus {
        var value = CacheStatus()
        value.forward = reason
        value.forwardStatus = status
        value.isStored = stored
        value.isCollapsed = collapsed
        value.ttl = ttl
        value.detail = detail
        return value
    }

    /// A request that did not use the cache.
    public static func bypassed(_ reason: CacheBypass, status: UInt16? = nil) -> CacheStatus {
        switch reason {
        case .method: forwarded(.method, status: status)
        case .headNotStored: forwarded(.miss, status: status)
        case .headNotFresh: forwarded(.stale, status: status)
        case .requestNoStore, .authorizationPresent:
            forwarded(.request, status: status, detail: reason.name)
        case .hitForMiss, .tooManyFollowers:
            forwarded(.miss, status: status, detail: reason.name)
        default: forwarded(.bypass, status: status, detail: reason.name)
        }
    }

    /// Appends the whole field line. A line of a cache nearer to the origin stands before it already.
    ///
    /// - Parameter buffer: The head that is being written, at the beginning of a line.
    public func append(to buffer: ByteBuffer) {
        buffer.append("Cache-Status: weir")
        if let forward {
            buffer.append("; fwd=")
            buffer.append(forward.name)
            if let forwardStatus {
                buffer.append("; fwd-status=")
                buffer.append(decimal: UInt64(forwardStatus))
            }
        } else {
            buffer.append("; hit")
        }
        if isStored { buffer.append("; stored") }
        if isCollapsed { buffer.append("; collapsed") }
        if let ttl {
            buffer.append("; ttl=")
            if ttl < 0 { buffer.append(UInt8(ascii: "-")) }
            buffer.append(decimal: ttl.magnitude)
        }
        if let detail {
            buffer.append("; detail=")
            buffer.append(detail)
        }
        buffer.append("\r\n")
    }

    private init() {}
}
