import HTTPModel
public import Primitives
public import Telemetry

extension Explanation {
    /// Appends the explanation for programs: one JSON object and a line end.
    public func append(to buffer: ByteBuffer) {
        var json = JSONWriter(to: buffer)
        json.object { json in
            json.field("request", request)
            json.field("peer", peer.description)
            json.object("outcome") { json in
                json.field("action", outcome.action.rawValue)
                json.field("status", outcome.status.map { UInt64($0.code) })
                json.field("detail", outcome.detail)
            }
            appendRoute(to: &json)
            if let identity { identity.append(to: &json) }
            json.object("decision") { json in
                json.field("outcome", decision.word)
                switch decision {
                case .refused(let limit, let retry):
                    json.field("limit", limit)
                    json.field("retry_after", retry)
                case .denied(let limit): json.field("limit", limit)
                case .uncounted(let limit): json.field("limit", limit)
                case .notReached, .notLimited, .admitted: break
                }
            }
            json.array("limits") { json in
                for limit in limits { json.object { limit.append(to: &$0) } }
            }
            if let cache { cache.append(to: &json) }
        }
        buffer.append("\n")
    }

    private func appendRoute(to json: inout JSONWriter) {
        if let route {
            json.object("route") { json in
                json.field("index", route.index)
                json.field("name", route.name)
                json.field("pattern", route.pattern)
            }
        }
        json.array("passed_over") { json in
            for trial in routes {
                guard let mismatch = trial.mismatch else { continue }
                json.object { json in
                    json.field("index", trial.index)
                    json.field("name", trial.name)
                    json.field("pattern", trial.pattern)
                    json.field("condition", mismatch.condition)
                    json.field("detail", mismatch.words)
                }
            }
        }
    }
}

extension Explanation.Identity {
    fileprivate func append(to json: inout JSONWriter) {
        json.object("identity") { json in
            for (name, part) in [
                ("address", address), ("user", user), ("company", company), ("tier", tier),
            ] {
                json.object(name) { json in
                    json.field("value", part.value)
                    json.field("source", part.source)
                }
            }
            json.field("counted_address", counted)
            json.field("user_is_proven", userIsProven)
            json.field("credential", credential)
        }
    }
}

extension Explanation.Cache {
    fileprivate func append(to json: inout JSONWriter) {
        json.object("cache") { json in
            json.field("state", state)
            json.field("detail", detail)
            json.field("key", key)
            if let coding { json.field("coding", coding) }
            if let store {
                json.object("store") { json in
                    json.field("plain_answer", store.plain)
                    json.field("reason", store.reason)
                }
            }
        }
    }
}

extension LimitView {
    /// Writes the fields of the limit into an object.
    public func append(to json: inout JSONWriter) {
        json.field("limit", name)
        json.field("verdict", verdictWord)
        switch verdict {
        case .refuse(let wait), .shadowRefuse(let wait):
            json.field("retry_after", wait.map { max($0.secondsRoundedUp, 1) })
        case .pass, .unlimited, .skipped, .denied, .uncounted: break
        }
        json.field("key", key)
        json.field("algorithm", algorithm)
        json.field("rate", rate)
        json.field("rate_source", rateSource)
        json.field("shadow", isShadow)
        json.field("cost", UInt64(cost))
        json.field("settlement", settlement)
        if !missing.isEmpty {
            json.array("missing") { json in for part in missing { json.item(part) } }
        }
        guard let level else { return }
        json.field("remaining", UInt64(level.remaining))
        json.field("quota", UInt64(level.quota))
        json.field("reset_seconds", seconds: level.resetAfter)
        json.field("reset_epoch", Nanoseconds(level.resetAt.nanoseconds).secondsRoundedUp)
        if level.delay > .zero { json.field("delay_seconds", seconds: level.delay) }
        json.field("boosted", level.isBoosted)
        if isAssumed { json.field("assumed", true) }
    }
}
