import Caching
import HTTPModel
import Limits
import Primitives
import Routes
import Settings

/// A route with its policies compiled. A reference, so that a request carries one word of it.
public final class Route: Sendable {
    /// The name in logs and metrics.
    let name: [UInt8]
    /// The path pattern, the `endpoint` of the log.
    let pattern: [UInt8]
    /// Index of the upstream.
    let upstream: Int
    /// The limits.
    let limits: LimitPolicy
    /// The fields that tell clients about them.
    let limitFields: RateLimitFields
    /// Which limits of the configuration they are.
    let limitIndices: [Int]
    /// Their names, for the log.
    let limitNames: [[UInt8]]
    /// Which of them count requests in flight.
    let countsInFlight: [Bool]
    /// Where the values come from that the limits count by beyond the identity.
    let dimensions: [Dimension]
    /// How it caches; `nil`: not at all.
    let cache: CacheRules?
    /// Segments of the path that are removed before forwarding.
    let strippedSegments: Int
    /// The deadline of the answer's head; `nil`: the upstream's.
    let timeout: Nanoseconds?
    /// Whether a request must have a user.
    let requiresUser: Bool
    /// Tags that an unsafe request purges when it succeeds.
    let invalidates: [TagTemplate]

    /// How it keeps answers by Idempotency-Key.
    let idempotency: IdempotencyPolicy?
    /// What the keys of its requests begin with.
    let idempotencyScope: [UInt8]

    /// Where the value of a dimension is found in a request.
    enum Dimension: Sendable {
        /// In a field; lower-case name, and the same as far as it is known.
        case header([UInt8], FieldName)
        /// Among the claims of the token, by index.
        case claim(Int)
    }

    /// Compiles `route`; `claims` are the blueprint's, `space` tells its cache keys from those of other
    /// upstreams, `scope` its idempotency keys from those of other routes. `compression`: the configuration's,
    /// which the route may not want; `sharedScope`: what its cache keys do not say; `fields`: how clients are told
    /// about limits.
    init(
        _ route: RouteSettings, limits all: [LimitDefinition], claims: [String], space: String,
        scope: String, sharedScope: UInt64, compression: CompressionPolicy?, fields: RateLimitFields
    ) {
        limitFields = fields
        name = Array(route.match.name.utf8)
        pattern = Array(route.match.path.utf8)
        upstream = route.upstream
        limits = LimitPolicy(
            limits: route.limits.map { index in
                var limit = all[index]
                // A request without a user is answered 401 here, behind the limits that count it.
                if route.requiresUser && limit.anonymous == .deny { limit.anonymous = .skip }
                return limit
            }, endpoint: route.match.path)
        limitIndices = route.limits
        limitNames = route.limits.map { Array(all[$0].name.utf8) }
        countsInFlight = route.limits.map { all[$0].algorithm == .concurrency }
        dimensions = limits.dimensions.map { dimension in
            switch dimension {
            case .header(let name): .header(name, FieldName(recognising: name.span))
            // The blueprint collects the claims from the same limits.
            case .claim(let name): .claim(claims.firstIndex(of: name) ?? -1)
            }
        }
        let codings = route.compresses ? compression : nil
        cache = route.cache.map {
            CacheRules($0, space: space, scope: sharedScope, compression: codings)
        }
        strippedSegments = route.stripPrefix.split(separator: "/").count
        timeout = route.timeout
        requiresUser = route.requiresUser
        idempotency = route.idempotency
        idempotencyScope = Array(scope.utf8)
        invalidates = route.invalidates
    }
}
