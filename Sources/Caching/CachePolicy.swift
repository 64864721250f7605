public import Primitives

/// How one route uses the cache: a route's `cache:` part over the defaults of the top-level one.
public struct CachePolicy: Sendable, Equatable {
    /// When a stored answer is fetched again before it expires (standards A7).
    public enum EarlyRefresh: Sendable, Equatable {
        /// Never.
        case off
        /// XFetch: `now − Δ·β·ln(u) ≥ expiry`, Δ the measured time of the origin.
        case xfetch(beta: Double)
        /// In the last `fraction` of the lifetime with a chance of `chance` per hit, both 0…1.
        case chance(last: Double, chance: Double)
    }

    /// Whether explicit stale-while-revalidate and stale-if-error win over `s-maxage`'s implied ban (S5).
    public enum Stale: String, Sendable, Equatable, CaseIterable {
        /// The ban wins.
        case strict
        /// The explicit permission wins.
        case permissive
    }

    /// What becomes of an answer with Set-Cookie.
    public enum SetCookie: String, Sendable, Equatable, CaseIterable {
        /// It is not stored.
        case refuse
        /// It is stored without its cookies, which only the client gets whose request was sent to the origin.
        case strip
        /// It is stored with them, for one user: without that user in the key it is not stored.
        case store
    }

    /// The lifetime when the origin names none; `nil`: such answers are stored by the RFC's heuristic only.
    public var ttl: Nanoseconds?
    /// The lifetime whatever the origin says about it; `no-store` and `private` still refuse.
    public var forceTTL: Nanoseconds?
    /// How long after expiry an answer may be served while it is fetched again.
    public var staleWhileRevalidate: Nanoseconds?
    /// How long after expiry an answer may be served when the origin fails.
    public var staleIfError: Nanoseconds?
    /// Parts of the request in the key. Those of the identity make answers to requests with credentials
    /// storable.
    public var varyBy: [VaryBy]
    /// Lifetimes of answers by error status (`negative: {404: 30s}`).
    public var negative: [UInt16: Nanoseconds]
    /// Query parameters left out of the key: names, or a prefix with a final `*`.
    public var ignoreQuery: [String]
    /// The only query parameters in the key, written as in `ignoreQuery`, which still leaves out its own;
    /// `nil`: all.
    public var onlyQuery: [String]?
    /// Whether the parameters stand in the key in the order of their names.
    public var sortsQuery: Bool
    /// The largest body that is stored, in bytes.
    public var maxObject: Int
    /// The methods whose answers are stored.
    public var methods: Methods
    /// The largest content of a request that is read for its key, in bytes.
    public var maxBody: Int
    /// Early refresh.
    public var earlyRefresh: EarlyRefresh
    /// Whether requests for the same thing share one fetch.
    public var collapses: Bool
    /// Whether that holds for all replicas at one Redis, and not for this process alone
    /// (`collapse: cluster`). It implies `collapses` and `isShared`.
    public var collapsesFleet = false
    /// Whether answers are stored in Redis too, for all replicas (`redis: true`).
    public var isShared = false
    /// Whether request directives such as `no-cache` are obeyed (`client_no_cache: respect`).
    public var respectsClientNoCache: Bool
    /// Which wins when the origin says both s-maxage and stale-while-revalidate.
    public var stale: Stale
    /// What becomes of answers with Set-Cookie.
    public var setCookie: SetCookie
    /// Requests that go past the cache.
    public var bypass: BypassRules
    /// The field in which the origin may name the lifetime, in lower case; empty: none.
    public var originTTLName: [UInt8]

    /// Whether an answer with Set-Cookie may be stored. With its cookies only where the key names the user.
    var storesCookieAnswers: Bool {
        switch setCookie {
        case .refuse: false
        case .strip: true
        case .store: varyBy.contains(.user)
        }
    }

    /// Tags of the answers, made of the request.
    public var tags: [TagTemplate] = []

    /// Creates the policy of a route that says nothing but `ttl`.
    public init(ttl: Nanoseconds? = nil) {
        self.ttl = ttl
        forceTTL = nil
        staleWhileRevalidate = nil
        staleIfError = nil
        varyBy = []
        negative = [:]
        ignoreQuery = []
        onlyQuery = nil
        sortsQuery = false
        maxObject = 8 << 20
        methods = .get
        maxBody = 1 << 20
        earlyRefresh = .xfetch(beta: 1)
        collapses = true
        respectsClientNoCache = false
        stale = .permissive
        setCookie = .refuse
        bypass = BypassRules()
        originTTLName = []
    }
}
