import Caching
import HTTPModel
import Limits
import Primitives
import Settings

extension Explanation.Outcome {
    /// The proxy answers with a reason.
    static func rejected(_ rejection: Rejection) -> Explanation.Outcome {
        Explanation.Outcome(
            action: .rejected, status: rejection.status, detail: "\(rejection.reason)")
    }

    /// Puts the verdict about a request into words.
    ///
    /// - Parameters:
    ///   - verdict: What `judge` said of a request that it only looked at.
    ///   - exchange: The request with its decision.
    ///   - blueprint: The settings.
    ///   - now: The time.
    init(
        of verdict: Verdict, _ exchange: Exchange, _ blueprint: Blueprint,
        at now: WallTime
    ) {
        switch verdict {
        case .reject(let rejection): self = .rejected(rejection)
        case .describeServer:
            self.init(action: .answered, status: 204, detail: "OPTIONS about the proxy itself")
        case .reportHealth(let report):
            self.init(action: .answered, status: report.status, detail: "a health check")
        case .refuse(let route):
            self.init(
                action: .refused, status: exchange.decision.refusalStatus,
                detail: Self.refusal(exchange.decision, route.limits))
        case .serve(let stored, let reason):
            let form = AnswerForm(
                for: exchange.request, of: stored.head, now: now.epochSeconds)
            self.init(
                action: .served, status: form.status(whole: stored.head.status),
                detail: reason == nil ? "from the cache" : "from the cache, stale")
        case .forward(let route):
            self.init(to: route, "the route has no cache", blueprint)
        case .goAround(let route, let reason):
            self.init(to: route, "past the cache: \(reason.name)", blueprint)
        case .fetch(let route, _): self.init(to: route, "for the cache", blueprint)
        case .readContent(let route, _):
            self.init(
                to: route,
                "unless its body, which an explanation does not have, has an answer here", blueprint
            )
        case .runOnce(let route, _, _):
            self.init(to: route, "the first with its Idempotency-Key", blueprint)
        case .replay(_, let answer):
            self.init(
                action: .served, status: answer.head.status,
                detail: "again, the answer to the first request with its Idempotency-Key")
        case .askLimits, .delay, .serveAndRefresh, .lead, .follow:
            preconditionFailure("a request that was only looked at waits, or is being fetched")
        }
    }

    private init(to route: Route, _ why: String, _ blueprint: Blueprint) {
        let name = blueprint.settings.upstreams[route.upstream].name
        self.init(action: .forwarded, status: nil, detail: "to upstream \(name), \(why)")
    }

    private static func refusal(_ decision: LimitDecision, _ limits: LimitPolicy)
        -> String
    {
        switch decision.outcome {
        case .deniedAnonymous(let limit):
            return "by \(limits.name(of: limit)), which serves identified clients only"
        case .uncounted(let limit):
            return "by \(limits.name(of: limit)), which Redis cannot count at the moment"
        case .refused(let limit):
            let wait = decision.retryAfterSeconds.map { "retry after \($0) s" }
            return
                "by \(limits.name(of: limit)), \(wait ?? "for ever: it costs more than the limit can hold")"
        case .notLimited, .admitted: return ""
        }
    }
}

extension Verdict {
    /// Whether the request came to its limits.
    var reachesLimits: Bool {
        switch self {
        case .reject(.onlyIfCached), .reject(.userRequired): true
        case .reject(let rejection) where rejection.isAboutIdempotency: true
        case .reject, .describeServer, .reportHealth: false
        default: true
        }
    }
}
