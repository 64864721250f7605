import Caching
import HTTPModel
import Primitives
import Testing

@Suite struct BypassRulesTests {
    private func reason(
        _ rules: (inout BypassRules) -> Void, _ request: RequestHead
    ) -> CacheBypass? {
        var policy = CachePolicy(ttl: .seconds(60))
        rules(&policy.bypass)
        return CacheBypass.reason(for: request, rules: CacheRules(policy))
    }

    @Test(arguments: [
        ([("X-No-Cache", "1")], CacheBypass.rule), ([("x-no-cache", "")], .rule),
        ([("X-No-Cached", "1")], nil), ([], nil),
    ])
    func `a field is enough, whatever it says`(fields: [(String, String)], expected: CacheBypass?) {
        let found = reason(
            { $0.headers = [.init(name: "x-no-cache")] }, request("/", fields))
        #expect(found == expected)
    }

    @Test(arguments: [
        ("1", CacheBypass.rule), (" 1 ", .rule), ("2", nil), ("11", nil), ("", nil),
    ])
    func `a field with a value must have that value`(value: String, expected: CacheBypass?) {
        let found = reason(
            { $0.headers = [.init(name: "x-a", value: "1")] }, request("/", [("X-A", value)]))
        #expect(found == expected)
    }

    @Test(arguments: [
        ("session=1", CacheBypass.rule), ("a=b; session=1; c=d", .rule), ("a=b;session=", .rule),
        ("Session=1", nil), ("asession=1; b=session", nil), ("", nil),
    ])
    func `a cookie is found among others, by its exact name`(line: String, expected: CacheBypass?) {
        let found = reason(
            { $0.cookies = [.init(name: "session")] }, request("/", [("Cookie", line)]))
        #expect(found == expected)
    }

    @Test(arguments: [
        ("/?nocache", CacheBypass.rule), ("/?nocache=1", .rule), ("/?a=b&nocache=", .rule),
        ("/?a=nocache", nil), ("/nocache", nil), ("/?", nil), ("/?nocaches", nil),
    ])
    func `a parameter of the query is found by its name`(target: String, expected: CacheBypass?) {
        #expect(reason({ $0.query = [.init(name: "nocache")] }, request(target)) == expected)
    }

    @Test func `a parameter with a value must have that value`() {
        let rule = { (rules: inout BypassRules) in rules.query = [.init(name: "a", value: "b=c")] }
        #expect(reason(rule, request("/?a=b=c")) == .rule)
        #expect(reason(rule, request("/?a=b")) == nil)
        #expect(reason(rule, request("/?a=d&a=b=c")) == .rule)
    }

    @Test func `what bypasses by its method does so by that word`() {
        let found = reason(
            { $0.headers = [.init(name: "x-a")] }, request("/", method: .post, [("X-A", "1")]))
        #expect(found == .method)
        #expect("\(CacheBypass.rule.name)" == "rule")
    }
}
