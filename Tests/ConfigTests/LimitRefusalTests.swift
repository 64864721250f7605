import Limits
import Settings
import Testing

/// What stands in `limits.a`, and the only problem it must give, without its place.
private let wrong: [(limit: String, message: String)] = [
    // Algorithms and their keys.
    (
        "{rate: 1/s, algorithm: concurrency}",
        "limits.a.algorithm: requests in flight have no rate"
    ),
    (
        "{rate: 1/s, algorithm: concurrency, per: user, tiers: {x: 5/s}}",
        "limits.a.algorithm: requests in flight have no rate"
    ),
    ("{algorithm: concurrency}", "limits.a: `concurrent` is missing"),
    (
        "{concurrent: 5, rate: 1/s}",
        "limits.a.rate: `concurrent` at line 5 stands in its place"
    ),
    (
        "{concurrent: 5, algorithm: token_bucket}",
        "limits.a.algorithm: belongs to a limit with `rate`; `concurrent` counts requests in flight"
    ),
    (
        "{concurrent: 0}",
        "limits.a.concurrent: expected a whole number from 1 to 1000000, found \"0\""
    ),
    (
        "{concurrent: 5/s}",
        "limits.a.concurrent: expected a whole number from 1 to 1000000, found \"5/s\""
    ),
    (
        "{concurrent: unlimited}",
        "limits.a.concurrent: a limit needs a rate; `unlimited` is for tiers and overrides"
    ),
    (
        "{concurrent: 5, tiers: {x: 5/s}}",
        "limits.a.tiers.x: expected a whole number from 1 to 1000000, found \"5/s\""
    ),
    ("{rate: 1/s, tiers: {x: 5}}", "limits.a.tiers.x: expected a rate, found \"5\""),
    ("{rate: 1/s, max_delay: 1s}", "limits.a.max_delay: belongs to `algorithm: leaky_bucket`"),
    ("{rate: 1/s, phase: key}", "limits.a.phase: belongs to `algorithm: fixed_window`"),
    ("{concurrent: 1, burst: 5}", "limits.a.burst: belongs to `algorithm: token_bucket`"),
    (
        "{rate: 1/s, algorithm: leaky_bucket, burst: 5}",
        "limits.a.burst: belongs to `algorithm: token_bucket`"
    ),
    (
        "{rate: 1/s, algorithm: leaky_bucket, max_delay: 61s}",
        "limits.a.max_delay: expected a duration from 1ms to 1m, found \"61s\""
    ),
    (
        "{rate: 1/s, algorithm: leaky_bucket, max_delay: 0}",
        "limits.a.max_delay: expected a duration from 1ms to 1m, found \"0\""
    ),
    ("{rate: 1/s, algorithm: fixed_window, phase: odd}", "limits.a.phase: unknown phase `odd`"),
    (
        "{rate: 1/s, algorithm: fixd_window, phase: key, burst: 4}",
        "limits.a.algorithm: unknown algorithm `fixd_window`; did you mean `fixed_window`?"
    ),
    // Rates that an algorithm cannot count.
    (
        "{rate: 1025/s, algorithm: sliding_log}",
        "limits.a.rate: `sliding_log` keeps the moment of each request, of 1024 at most, found 1025"
    ),
    (
        "{rate: 1/s, algorithm: sliding_log, tiers: {x: 2000/s}}",
        "limits.a.tiers.x: `sliding_log` keeps the moment of each request, of 1024 at most, found 2000"
    ),
    (
        "{rate: 1/s, algorithm: sliding_log, per: user, overrides: {'user:1': 2000/s}}",
        "limits.a.overrides.user:1: `sliding_log` keeps the moment of each request, of 1024 at most, found 2000"
    ),
    (
        "1000/month per user",
        "limits.a: a calendar month is counted by `algorithm: fixed_window` only"
    ),
    (
        "{rate: 1/month, algorithm: sliding_window}",
        "limits.a.rate: a calendar month is counted by `algorithm: fixed_window` only"
    ),
    (
        "{rate: 1/s, tiers: {x: 1/month}}",
        "limits.a.tiers.x: a calendar month is counted by `algorithm: fixed_window` only"
    ),
    (
        "{rate: 1/month, algorithm: fixed_window, phase: key}",
        "limits.a.rate: a calendar month begins at the same time for all keys"
    ),
    // Costs.
    ("{rate: 9/s, cost: 0}", "limits.a.cost: a limit whose requests cost nothing never counts"),
    (
        "{rate: 9/s, cost: {hit: 0, miss: 0}}",
        "limits.a.cost: a limit whose requests cost nothing never counts"
    ),
    (
        "{rate: 9/s, cost: 1000001}",
        "limits.a.cost: expected a whole number from 0 to 1000000, found \"1000001\""
    ),
    (
        "{rate: 9/s, cost: [1]}",
        "limits.a.cost: expected a number, `header:NAME` or a mapping, found a list"
    ),
    (
        "{rate: 9/s, cost: 'header:'}",
        "limits.a.cost: expected `header:` and the name of a field, found \"header:\""
    ),
    (
        "{rate: 9/s, cost: {hit: header:A, miss: header:B}}",
        "limits.a.cost.miss: a limit reads one field, and this one reads `a` already"
    ),
    (
        "{rate: 9/s, cost: {hit: 0, reserve: 2}}",
        "limits.a.cost.reserve: has no effect: it is charged until a field says the cost"
    ),
    (
        "{rate: 9/s, cost: {miss: header:A, reserve: 0}}",
        "limits.a.cost.reserve: expected a whole number from 1 to 1000000, found \"0\""
    ),
    ("{rate: 9/s, cost: {mis: 1}}", "limits.a.cost: unknown key `mis`; did you mean `miss`?"),
    (
        "{rate: 9/s, cost: 10}",
        "limits.a.cost: 10 can never pass: limits.a.rate admits at most 9 at once"
    ),
    (
        "{rate: 9/s, burst: 4, cost: {hit: 5}}",
        "limits.a.cost.hit: 5 can never pass: limits.a.rate admits at most 4 at once"
    ),
    (
        "{rate: 9/s, algorithm: fixed_window, tiers: {x: 4/s}, cost: 5}",
        "limits.a.cost: 5 can never pass: limits.a.tiers.x admits at most 4 at once"
    ),
    (
        "{rate: 4/s, algorithm: leaky_bucket, cost: 6}",
        "limits.a.cost: 6 can never pass: limits.a.rate admits at most 5 at once"
    ),
    (
        "{rate: 9/s, cost: {miss: header:A, reserve: 10}}",
        "limits.a.cost.reserve: 10 can never pass: limits.a.rate admits at most 9 at once"
    ),
    (
        "{concurrent: 5, cost: 2}",
        "limits.a.cost: has no effect on requests in flight: each counts as one"
    ),
    (
        "{concurrent: 5, count: 401}",
        "limits.a.count: has no effect on requests in flight: each counts as one"
    ),
    // Counted statuses.
    ("{rate: 1/s, count: []}", "limits.a.count: expected at least one status, found an empty list"),
    (
        "{rate: 1/s, count: [401, 450, 4xx]}",
        "limits.a.count[2]: `401` has some of its statuses already"
    ),
    // Modes.
    ("{rate: 1/s, enforce: 10%}", "limits.a.enforce: is a part of `mode`"),
    ("{rate: 1/s, mode: {enforce: 0%}}", "limits.a.mode.enforce: enforces nothing"),
    (
        "{rate: 1/s, mode: 'enforce: 101%'}",
        "limits.a.mode: expected a percentage from 0% to 100%, found \"101%\""
    ),
    ("{rate: 1/s, mode: {}}", "limits.a.mode: `enforce` is missing"),
    (
        "{rate: 1/s, per: global, mode: {enforce: 10%}}",
        "limits.a.mode.enforce: a limit per global has one key, which cannot be enforced in part"
    ),
    // Scopes.
    ("{rate: 1/s, per: 'header:'}", "limits.a.per: expected `header:` and the name of a field"),
    ("{rate: 1/s, per: 'header:a b'}", "limits.a.per: unknown scope `b`"),
    (
        "{rate: 1/s, per: ['claim:a b']}",
        "limits.a.per[0]: expected `claim:` and the name of a claim"
    ),
    ("{rate: 1/s, per: [header:X, 'header:x']}", "limits.a.per[1]: `header:x` stands twice"),
    ("{rate: 1/s, per: heder:X}", "limits.a.per: unknown scope `heder:X`"),
    // Overrides.
    (
        "{rate: 1/s, overrides: [a]}",
        "limits.a.overrides: expected a mapping of at most 1000 keys to rates, found a list"
    ),
    (
        "{rate: 1/s, overrides: {'user:42': 5/s}}",
        "limits.a.overrides.user:42: can never match: the limit counts per `ip`"
    ),
    (
        "{rate: 1/s, per: [user, header:x-a], overrides: {'header:X-B:c': 5/s}}",
        "limits.a.overrides.header:X-B:c: can never match: the limit counts per `user` and `header:x-a`"
    ),
    (
        "{rate: 1/s, overrides: {'10.0.0.1': 5/s}}",
        "limits.a.overrides.10.0.0.1: expected `ip:`, `user:`, `company:`, `header:NAME:` or "
            + "`claim:NAME:` and a value as key"
    ),
    (
        "{rate: 1/s, per: endpoint, overrides: {'endpoint:x': 5/s}}",
        "limits.a.overrides.endpoint:x: expected `ip:`, `user:`, `company:`, `header:NAME:` or "
            + "`claim:NAME:` and a value as key"
    ),
    (
        "{rate: 1/s, per: user, overrides: {'user:': 5/s}}",
        "limits.a.overrides.user:: expected a value without spaces at its ends after `user:`, and "
            + "at most 512 bytes"
    ),
    (
        "{rate: 1/s, overrides: {'ip:10.0.0.1/8': 5/s}}",
        "limits.a.overrides.ip:10.0.0.1/8: the address has bits beyond its prefix of 8"
    ),
    (
        "{rate: 1/s, overrides: {'ip:10': 5/s}}",
        "limits.a.overrides.ip:10: expected a network, found \"10\""
    ),
    (
        "{rate: 1/s, overrides: {'ip:10.0.0.0/8': 5/s, 'ip:10.1.0.0/16': 6/s}}",
        "limits.a.overrides.ip:10.1.0.0/16: never matches: line 5 has all its addresses"
    ),
    (
        "{rate: 1/s, per: header:X, overrides: {'header:X:a': 5/s, 'header:x:a': 6/s}}",
        "limits.a.overrides.header:x:a: the same key is already used at line 5"
    ),
    (
        "{rate: 1/s, per: user, overrides: {'user:1': 5}}",
        "limits.a.overrides.user:1: expected a rate, found \"5\""
    ),
    (
        "{rate: 1/s, per: user, overrides: {'user:1': 1/month}}",
        "limits.a.overrides.user:1: a calendar month is counted by `algorithm: fixed_window` only"
    ),
]

@Test(arguments: wrong)
func `a limit that cannot do what it says is refused with one message`(
    limit: String, message: String
) {
    let found = messages(everybody + "limits: {a: \(limit)}\n")
    #expect(found.map { String($0.drop { $0 != " " }.dropFirst()) } == [message])
}

@Test(arguments: [
    "", "40", "4x", "4XX", "600", "199", "1xx", "6xx", "401-", "-401", "405-401", "401-402-403",
    "0401",
])
func `what is no status is refused`(text: String) {
    let found = messages(frame + "limits: {a: {rate: 1/s, count: ['\(text)']}}\n")
    #expect(found.count == 1)
    #expect(found.first?.contains("a status from 200 to 599, a class or a range") == true)
}

@Test func `an override more than there may be is refused`() throws {
    func text(_ count: Int) -> String {
        frame + "limits:\n  a:\n    rate: 1/s\n    overrides:\n"
            + (0..<count).map { "      ip:10.0.\($0 / 256).\($0 % 256): 5/s\n" }.joined()
    }
    #expect(try settings(text(1000)).limits[0].overrides.count == 1000)
    #expect(messages(text(1001)).count == 1)
}

@Test func `costs of stored answers need a route that stores some`() throws {
    let limits = "limits: {a: {rate: 9/s, cost: {hit: 0, stale: 2}}}\n"
    let both = [
        "limits.a.cost.hit: can never matter: no route with this limit uses the cache",
        "limits.a.cost.stale: can never matter: no route with this limit uses the cache",
    ]
    func found(_ text: String) -> [String] {
        messages(frame + limits + text).map { String($0.drop { $0 != " " }.dropFirst()) }
    }
    #expect(found("") == both)
    #expect(found("cache: off\n") == both)
    #expect(found("cache: 5m\n") == [])
    #expect(found("routes: [{path: /a, limits: a}, {path: /b, cache: 5m}]\n") == both)
    #expect(found("cache: 5m\nroutes: [{path: /a, limits: a, cache: off}]\n") == both)
    #expect(found("routes: [{path: /a, limits: a}, {path: /b, limits: a, cache: 5m}]\n") == [])
    // A fault elsewhere is reported once, not again as a limit without a cache.
    #expect(found("cache: {ttl: 5}\n").count == 1)
    // What all answers cost alike, and answers of the origin, need no cache.
    #expect(messages(frame + "limits: {a: {rate: 9/s, cost: 2}}\n") == [])
    #expect(messages(frame + "limits: {a: {rate: 9/s, cost: {miss: 2}}}\n") == [])
}

@Test func `a route's limits can count by so many header fields and claims`() throws {
    func text(_ last: Int) -> String {
        var text = frame + "limits:\n"
        for limit in 0..<4 {
            let count = limit == 3 ? last : 4
            let scopes = (0..<count).map { "header:x-\($0)" }.joined(separator: ", ")
            text += "  l\(limit): {rate: 1/s, per: [\(scopes)]}\n"
        }
        return text + "routes:\n  - {path: /a, limits: [l0, l1, l2, l3]}\n"
    }
    #expect(try settings(text(4)).limits.count == 4)
    #expect(
        messages(text(5)) == [
            "9:5 routes[0]: its limits count by 17 header fields and claims, and there can be 16"
        ])
}

@Test func `claims are counted only where tokens are verified`() {
    #expect(
        messages(frame + "limits: [1/s per claim:org]\n") == [
            "3:10 limits[0]: is per claim:org, but `identity.jwt` is not set"
        ])
    // A header field is whatever the client says; that is no fault.
    #expect(messages(frame + "limits: [1/s per header:X-Tenant]\n") == [])
}

@Test func `a name too long to be made of a limit is asked for`() {
    let long = String(repeating: "x", count: 60)
    let found = messages(frame + "limits: [1/s per header:\(long)]\n")
    #expect(found == ["3:10 limits[0]: is too long to make a name of it"])
    #expect(messages(frame + "limits: {a: 1/s per header:\(long)}\n") == [])
}
