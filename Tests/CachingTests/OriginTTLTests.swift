import Caching
import HTTPModel
import Primitives
import Testing

@Suite struct OriginTTLTests {
    private var policy: CachePolicy {
        var policy = CachePolicy(ttl: .seconds(5))
        policy.originTTLName = bytes("x-accel-expires")
        return policy
    }

    private func decide(
        _ list: [(String, String)], status: Status = 200, _ policy: CachePolicy
    ) -> StoreDecision {
        StoreDecision.decide(
            request: request("/"), response: response(status, list), policy: policy,
            times: times())
    }

    /// Seconds of freshness and who named them, or the refusal's word.
    private func outcome(_ list: [(String, String)], status: Status = 200) -> String {
        switch decide(list, status: status, policy) {
        case .store(let lifetime): "\(lifetime.fresh.wholeSeconds) \(lifetime.source)"
        case .refuse(let refusal): "\(refusal.name)"
        }
    }

    @Test(arguments: [
        ("300", "300 originTTL"), (" 300 ", "300 originTTL"), ("0", "origin-ttl"),
        ("off", "origin-ttl"), ("OFF", "origin-ttl"), ("@\(epoch + 90)", "90 originTTL"),
        ("99999999999", "2147483648 originTTL"),
        // What cannot be read says nothing.
        ("", "5 policy"), ("-1", "5 policy"), ("1.5", "5 policy"), ("@", "5 policy"),
        ("@x", "5 policy"), ("5m", "5 policy"),
    ])
    func `seconds, a moment, nothing at all`(value: String, expected: String) {
        #expect(outcome([("X-Accel-Expires", value)]) == expected)
    }

    @Test func `a moment that has passed leaves nothing fresh`() {
        let list = [("X-Accel-Expires", "@\(epoch - 1)"), ("ETag", "\"a\"")]
        #expect(outcome(list) == "0 originTTL")
        #expect(outcome([list[0]]) == "no-freshness")
    }

    @Test func `it wins over what is said to all caches, but not over no-store and private`() {
        let field = ("x-accel-expires", "300")
        #expect(outcome([field, ("Cache-Control", "max-age=1, no-cache")]) == "300 originTTL")
        #expect(outcome([field, ("Expires", "0")]) == "300 originTTL")
        #expect(outcome([field, ("Cache-Control", "no-store")]) == "no-store")
        #expect(outcome([field, ("Cache-Control", "private")]) == "private")
        #expect(outcome([field], status: 404) == "300 originTTL")
        guard
            case .store(let lifetime) = decide(
                [field, ("Cache-Control", "no-cache")], policy)
        else {
            Issue.record("not stored")
            return
        }
        #expect(!lifetime.mustValidate)
    }

    @Test func `it wins over force_ttl`() {
        var forced = policy
        forced.forceTTL = .seconds(7)
        guard case .store(let lifetime) = decide([("X-Accel-Expires", "3")], forced) else {
            Issue.record("not stored")
            return
        }
        #expect(lifetime.fresh == .seconds(3))
        #expect(decide([("X-Accel-Expires", "0")], forced) == .refuse(.originTTL))
    }

    @Test func `without the policy's word it is a field like any other`() {
        let decision = decide([("X-Accel-Expires", "300")], CachePolicy(ttl: .seconds(5)))
        guard case .store(let lifetime) = decision else {
            Issue.record("not stored")
            return
        }
        #expect(lifetime.source == .policy)
        let kept = stored(
            request("/"), [("X-Accel-Expires", "300"), ("Cache-Control", "max-age=1")])
        #expect(text(kept.head.bytes).contains("X-Accel-Expires: 300\r\n"))
    }

    @Test func `neither a stored head nor one that passes has the field`() {
        let answer = response(200, [("X-Accel-Expires", "300"), ("A", "b")])
        for head in [
            cachedHead(request("/"), answer, policy: policy),
            CachedHead(passing: answer, times: times(), policy: policy),
        ] {
            #expect(!text(head.bytes).contains("Accel"))
            #expect(text(head.bytes).contains("A: b\r\n"))
        }
    }
}
