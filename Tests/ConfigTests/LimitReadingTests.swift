import Config
import Identity
import Limits
import Primitives
import Settings
import Testing

/// A file with users, tokens and a cache, up to its limits.
let everybody =
    frame + "cache: 1m\n"
    + "identity: {jwt: {keys: [{file: k.pem}]}, user: jwt.sub, company: jwt.org, tier: jwt.plan}\n"

/// The only limit of a file, written as the value of `limits.a`.
private func limit(_ text: String) throws -> LimitDefinition {
    let limits = try settings(everybody + "limits: {a: \(text)}\n").limits
    return try #require(limits.first)
}

@Test(
    arguments: [
        ("{rate: 5/s}", .tokenBucket(burst: nil)),
        ("{rate: 5/s, burst: 5}", .tokenBucket(burst: 5)),
        ("{rate: 5/s, algorithm: sliding_window}", .slidingWindow(subWindows: 60)),
        ("{rate: 5/s, algorithm: sliding_log}", .slidingLog),
        ("{rate: 1024/d, algorithm: sliding_log}", .slidingLog),
        ("{rate: 5/s, algorithm: fixed_window}", .fixedWindow(phase: .aligned)),
        ("{rate: 5/s, algorithm: fixed_window, phase: key}", .fixedWindow(phase: .key)),
        ("{rate: 5/s, algorithm: leaky_bucket}", .leakyBucket(maxDelay: .seconds(1))),
        (
            "{rate: 5/s, algorithm: leaky_bucket, max_delay: 60s}",
            .leakyBucket(maxDelay: .seconds(60))
        ),
        ("{concurrent: 5}", .concurrency),
        ("{concurrent: 5, algorithm: concurrency}", .concurrency),
    ] as [(String, LimitDefinition.Algorithm)])
func `every algorithm is read`(text: String, algorithm: LimitDefinition.Algorithm) throws {
    #expect(try limit(text).algorithm == algorithm)
}

@Test func `a month is a calendar month, and other times are not`() throws {
    let month = try limit("{rate: 1000/month, algorithm: fixed_window, tiers: {a: 5/month}}")
    #expect(month.rate == .monthly(1000) && month.rate.isMonthly)
    #expect(month.tiers["a"] == .some(.monthly(5)))
    let days = try limit("{rate: 1000/31d, algorithm: fixed_window}")
    #expect(
        !days.rate.isMonthly && days.rate != month.rate && days.rate.period == month.rate.period)
}

@Test func `requests in flight are numbers, in tiers and overrides too`() throws {
    let flight = try limit(
        "{concurrent: 5, per: user, tiers: {pro: 9, in: unlimited}, overrides: {'user:1': 7}}")
    #expect(flight.rate == .inFlight(5) && flight.tiers["pro"] == .some(.inFlight(9)))
    #expect(flight.tiers["in"] == .some(nil))
    #expect(flight.overrides == [.init(scope: .user, value: "1", rate: .inFlight(7))])
    let list = try settings(everybody + "limits: [{concurrent: 5, per: [user, ip]}]\n").limits
    #expect(list.map(\.name) == ["user-ip-at-once-5"])
}

@Test(
    arguments: [
        ("3", .init(3)), ("1", .init()), ("1000000", .init(1_000_000)),
        ("header:X-Cost", .init(hit: .header, stale: .header, miss: .header, header: "x-cost")),
        ("{hit: 0}", .init(hit: .units(0), stale: .units(0))),
        ("{hit: 0, stale: 2}", .init(hit: .units(0), stale: .units(2))),
        ("{stale: 2, miss: 3}", .init(stale: .units(2), miss: .units(3))),
        ("{miss: header:X-C, reserve: 9}", .init(miss: .header, header: "x-c", reserve: 9)),
        (
            "{hit: header:A, miss: header:a}",
            .init(hit: .header, stale: .header, miss: .header, header: "a")
        ),
        ("{}", .init()),
    ] as [(String, LimitDefinition.Costs)])
func `costs are read in every form`(text: String, costs: LimitDefinition.Costs) throws {
    let read = try limit("{rate: 1000000/s, algorithm: fixed_window, cost: \(text)}")
    #expect(read.costs == costs)
}

@Test func `counted statuses are single ones, classes and ranges`() throws {
    let one = try limit("{rate: 1/s, count: 401}")
    #expect(one.countedStatuses == [401...401])
    let several = try limit("{rate: 1/s, count: [401, 5xx, 402-407, 200]}")
    #expect(several.countedStatuses == [401...401, 500...599, 402...407, 200...200])
    #expect(try limit("{rate: 1/s}").countedStatuses == [])
}

@Test(
    arguments: [
        ("enforce", .enforce), ("shadow", .shadow), ("{enforce: 10%}", .share(0.1)),
        ("'enforce: 10%'", .share(0.1)), ("'enforce:0.001%'", .share(0.00001)),
        ("{enforce: 100%}", .share(1)),
    ] as [(String, LimitDefinition.Mode)])
func `modes are read in every form`(text: String, mode: LimitDefinition.Mode) throws {
    #expect(try limit("{rate: 1/s, mode: \(text)}").mode == mode)
}

@Test func `overrides are read in order, with the part of the key they look at`() throws {
    let text = """
        limits:
          a:
            rate: 1/s
            per: [ip, user, "header:X-Team", "claim:https://a.b/c", "claim:org"]
            overrides:
              user:42: 5/m
              "user:a:b c": unlimited
              ip:10.1.0.0/16: 2/s
              ip:10.0.0.0/8: 3/s
              ip:2001:db8::1: 4/s
              header:x-TEAM:Red: 5/s
              claim:https://a.b/c:d: 6/s
              claim:org:e: 7/s

        """
    let read = try settings(everybody + text).limits[0].overrides
    #expect(
        read.map(\.value) == [
            "42", "a:b c", "10.1.0.0/16", "10.0.0.0/8", "2001:db8::1/128", "Red", "d", "e",
        ])
    #expect(
        read.map(\.scope) == [
            .user, .user, .ip, .ip, .ip, .header("x-team"), .claim("https://a.b/c"), .claim("org"),
        ])
    #expect(read.map { $0.rate.map(\.count) } == [5, nil, 2, 3, 4, 5, 6, 7])
    #expect(read[2].network == IPNetwork(IPAddress(v4: 0x0A01_0000), prefixLength: 16))
    #expect(read[0].network == nil && read[4].network?.prefixLength == 128)
}

@Test func `of two names of claims the longer one that fits is meant`() throws {
    let text =
        "limits: {a: {rate: 1/s, per: ['claim:a', 'claim:a:b'], "
        + "overrides: {'claim:a:b:c': 2/s, 'claim:a:c': 3/s}}}\n"
    let read = try settings(everybody + text).limits[0].overrides
    #expect(read.map(\.scope) == [.claim("a:b"), .claim("a")])
    #expect(read.map(\.value) == ["c", "c"])
}

@Test func `header fields and claims are scopes, alone and with others, in every form`() throws {
    let limits = try settings(
        everybody
            + "limits: [1/s per header:X-Tenant and ip, 1/s per claim:https://a.b/c, "
            + "{rate: 1/s, per: [claim:org, 'header:X-A'], anonymous: deny}]\n"
    ).limits
    #expect(limits[0].per == [.header("x-tenant"), .ip] && limits[0].anonymous == .ip)
    #expect(limits[1].per == [.claim("https://a.b/c")])
    #expect(limits[2].per == [.claim("org"), .header("x-a")] && limits[2].anonymous == .deny)
    // Names are made of what names may have.
    #expect(
        limits.map(\.name) == [
            "header-x-tenant-ip-1-second", "claim-https---a.b-c-1-second",
            "claim-org-header-x-a-1-second",
        ])
}
