public import HTTPModel
public import Primitives

/// How long an answer may be used, fresh and stale: the outcome of RFC 9111 §4.2 and RFC 5861.
public struct Lifetime: Sendable, BitwiseCopyable, Equatable {
    /// Who named the lifetime.
    public enum Source: UInt8, Sendable, BitwiseCopyable {
        /// `s-maxage`
        case sharedMaxAge
        /// `max-age`
        case maxAge
        /// Expires
        case expires
        /// The field of the policy's `origin_ttl`.
        case originTTL
        /// The policy's `force_ttl`.
        case forced
        /// The policy's `negative`.
        case negative
        /// The policy's `ttl`.
        case policy
        /// A tenth of the time since Last-Modified.
        case heuristic
        /// Nobody: it must be validated at once.
        case none

        /// Whether the origin itself allowed reuse for a time.
        public var isExplicit: Bool {
            self == .sharedMaxAge || self == .maxAge || self == .expires || self == .originTTL
        }
    }

    /// The freshness lifetime, counted in the answer's age.
    public var fresh: Nanoseconds
    /// Who named it.
    public var source: Source
    /// How long after `fresh` it may be served while it is fetched again (RFC 5861 §3).
    public var staleWhileRevalidate: Nanoseconds
    /// How long after `fresh` it may be served when the origin fails (RFC 5861 §4).
    public var staleIfError: Nanoseconds
    /// Whether each use must be validated first: `no-cache` (RFC 9111 §5.2.2.4).
    public var mustValidate: Bool
    /// Whether it may be served stale at all (RFC 9111 §4.2.4), even on a client's `max-stale`.
    public var forbidsStale: Bool
    /// Whether the origin says that it does not change while it is fresh (RFC 8246).
    public var isImmutable: Bool
    /// Whether it may answer requests with credentials whoever sends them (RFC 9111 §3.5).
    public var isForEverybody: Bool

    /// Reads the lifetime of `response` (cases `9111-4.2.1-…`, `9111-4.2.4-…`, `5861-…`).
    ///
    /// - Parameters:
    ///   - response: The head of the answer.
    ///   - directives: What it says to this cache (`CacheDirectives.init(ofResponse:)`).
    ///   - policy: The route's policy.
    ///   - times: When it was asked for and received.
    public init(
        of response: borrowing ResponseHead, directives: CacheDirectives,
        policy: borrowing CachePolicy, times: FetchTimes
    ) {
        (fresh, source) = Lifetime.freshness(
            of: response, directives: directives, policy: policy, times: times)
        let flags = directives.flags
        // What is said to this cache alone wins over what is said to all.
        let isOverruled = source == .forced || source == .originTTL
        mustValidate = flags.contains(.noCache) && !isOverruled
        let isBanned =
            mustValidate || flags.contains(.mustRevalidate) || flags.contains(.proxyRevalidate)
        // s-maxage implies proxy-revalidate (RFC 9111 §5.2.2.10), yet sites write it beside
        // stale-while-revalidate: `permissive` lets what is written win over what is implied.
        let isImplied = directives.sharedMaxAge != nil && !isOverruled
        forbidsStale = isBanned || isImplied
        staleWhileRevalidate = Lifetime.written(
            directives.staleWhileRevalidate, else: policy.staleWhileRevalidate)
        staleIfError = Lifetime.written(directives.staleIfError, else: policy.staleIfError)
        if isBanned || (isImplied && policy.stale == .strict) {
            staleWhileRevalidate = .zero
            staleIfError = .zero
        }
        isImmutable = flags.contains(.immutable)
        isForEverybody =
            flags.contains(.isPublic) || flags.contains(.mustRevalidate)
            || directives.sharedMaxAge != nil
    }

    /// A lifetime that was decided elsewhere.
    init(
        fresh: Nanoseconds, source: Source, staleWhileRevalidate: Nanoseconds,
        staleIfError: Nanoseconds, mustValidate: Bool, forbidsStale: Bool, isImmutable: Bool,
        isForEverybody: Bool
    ) {
        self.fresh = fresh
        self.source = source
        self.staleWhileRevalidate = staleWhileRevalidate
        self.staleIfError = staleIfError
        self.mustValidate = mustValidate
        self.forbidsStale = forbidsStale
        self.isImmutable = isImmutable
        self.isForEverybody = isForEverybody
    }

    private static func written(_ seconds: UInt32?, else policy: Nanoseconds?) -> Nanoseconds {
        if let seconds { return .seconds(UInt64(seconds)) }
        return policy ?? .zero
    }

    /// The freshness lifetime of RFC 9111 §4.2.1.
    ///
    /// The field of `origin_ttl`, then `force_ttl`, then `s-maxage`, `max-age`, `Expires − Date`, then what the policy says for answers of
    /// which the origin says nothing, then the heuristic. The policy's times count from the receipt,
    /// whatever the origin's clock says; errors get them only through `negative`.
    static func freshness(
        of response: borrowing ResponseHead, directives: CacheDirectives,
        policy: borrowing CachePolicy, times: FetchTimes
    ) -> (Nanoseconds, Source) {
        let status = response.status
        let isPlain = status.isHeuristicallyCacheable && !status.isError
        let initialAge = times.initialAge(of: response.fields)
        let own = OriginTTL(
            of: response.fields, policy: policy, receivedAt: times.received.wall.epochSeconds)
        if case .fresh(let ttl) = own { return (ttl + initialAge, .originTTL) }
        let named = explicitFreshness(of: response, directives: directives, times: times)
        if let forced = policy.forceTTL, isPlain || (named != nil && !status.isError) {
            return (forced + initialAge, .forced)
        }
        if let named { return named }
        if let ttl = policy.negative[status.code] { return (ttl + initialAge, .negative) }
        guard isPlain else {
            // `public` opens the heuristic to statuses that do not allow it by themselves (§4.2.2, case
            // `9111-4.2.2-public`).
            guard directives.flags.contains(.isPublic), !status.isError else {
                return (.zero, .none)
            }
            return heuristicFreshness(of: response, times: times)
        }
        if let ttl = policy.ttl { return (ttl + initialAge, .policy) }
        return heuristicFreshness(of: response, times: times)
    }

    private static func explicitFreshness(
        of response: borrowing ResponseHead, directives: CacheDirectives, times: FetchTimes
    ) -> (Nanoseconds, Source)? {
        if let seconds = directives.sharedMaxAge {
            return (.seconds(UInt64(seconds)), .sharedMaxAge)
        }
        if let seconds = directives.maxAge { return (.seconds(UInt64(seconds)), .maxAge) }
        // Beside a targeted field Expires says nothing (RFC 9213 §2.2, case `9213-2.2-expires`).
        guard !directives.flags.contains(.isTargeted),
            let text = response.fields.first(.expires)
        else { return nil }
        // A date that cannot be read, above all `0`, is in the past (§5.3).
        let now = times.received.wall.epochSeconds
        guard let expires = HTTPDate.parse(text, now: now) else { return (.zero, .expires) }
        let (seconds, overflow) = expires.subtractingReportingOverflow(
            times.date(of: response.fields))
        let capped = overflow ? 0 : min(max(0, seconds), Int64(CacheBounds.deltaSecondsMax))
        return (.seconds(UInt64(capped)), .expires)
    }

    /// A tenth of the time since Last-Modified, at most `heuristicMax` (RFC 9111 §4.2.2).
    private static func heuristicFreshness(
        of response: borrowing ResponseHead, times: FetchTimes
    ) -> (Nanoseconds, Source) {
        let now = times.received.wall.epochSeconds
        guard let text = response.fields.first(.lastModified),
            let modified = HTTPDate.parse(text, now: now)
        else { return (.zero, .none) }
        let date = times.date(of: response.fields)
        guard modified < date else { return (.zero, .none) }
        let (seconds, overflow) = date.subtractingReportingOverflow(modified)
        guard !overflow else { return (.zero, .none) }
        return (min(.seconds(UInt64(seconds) / 10), CacheBounds.heuristicMax), .heuristic)
    }
}
