import Foundation
import Primitives
import TestKit
import Testing

/// `/limits` and what is below it.
@Suite struct LimitsAPITests {
    private static let yaml = """
        identity: {trusted_proxies: [192.0.2.1], user: header:X-User-ID}
        limits:
          login: {rate: 3/hour, per: ip, algorithm: sliding_window}
          reports: {rate: 2/hour, per: [user, endpoint], algorithm: fixed_window, anonymous: skip}
          running: {concurrent: 5, per: ip}
          all: {rate: 1000/hour, per: global, mode: shadow}
        routes:
          - {path: /login, name: login, limits: [login, running]}
          - {path: /a/**, name: a, limits: [reports, all]}
          - {path: /b, name: b, limits: [reports]}

        """

    @Test func `the list says what each limit is, and how full the table is`() throws {
        let world = try AdminWorld(Self.yaml)
        let answer = try world.admin("GET /limits")
        #expect(answer.status == 200)
        #expect(answer["Content-Type"] == "application/json")
        #expect(
            answer.text.contains(
                #"{"limit":"login","algorithm":"sliding_window, 60 sub-windows","rate":"3 per 1 hour","per":["ip"],"mode":"enforce","routes":["login"]}"#
            ))
        #expect(
            answer.text.contains(#""per":["user","endpoint"],"mode":"enforce","routes":["a","b"]"#))
        #expect(answer.text.contains(#""per":["global"],"mode":"shadow","routes":["a"]"#))
        #expect(answer.text.contains(#""table":{"keys":0,"capacity":1000000,"bytes":"#))
    }

    @Test func `a key's state is that of the requests it made, and looking changes nothing`() throws
    {
        let world = try AdminWorld(Self.yaml)
        #expect(try world.statuses("GET /login", 2) == [200, 200])
        for _ in 0..<3 {
            let state = try world.admin("GET /limits/key?ip=192.0.2.1").text
            #expect(state.contains(#""limit":"login","verdict":"pass","key":"ip=192.0.2.1""#))
            #expect(state.contains(#""remaining":1,"quota":3,"reset_seconds":36"#))
            // Nothing is told of keys whose parts were not given.
            #expect(state.contains(#"{"limit":"reports","verdict":"skipped""#))
        }
        #expect(try world.statuses("GET /login", 2) == [200, 429])
        let full = try world.admin("GET /limits/key?ip=192.0.2.1&limit=login").text
        #expect(full.contains(#""verdict":"refuse","retry_after":36"#))
        #expect(full.contains(#""remaining":0"#))
        #expect(!full.contains("reports"))
        let other = try world.admin("GET /limits/key?ip=192.0.2.2&limit=login").text
        #expect(other.contains(#""remaining":3"#))
    }

    @Test func `a limit by endpoint is told for every route, and a name is percent-decoded`() throws
    {
        let world = try AdminWorld(Self.yaml)
        #expect(try world.statuses("GET /a/1", 1, "X-User-ID: a b+c\r\n") == [200])
        let state = try world.admin("GET /limits/key?user=a%20b%2Bc").text
        #expect(
            state.contains(#""key":"user=a b+c, endpoint=GET /a/**","algorithm":"fixed_window""#))
        #expect(state.contains(#""key":"user=a b+c, endpoint=GET /b""#))
        #expect(state.contains(#"{"limit":"login","needs":["ip"]}"#))
        #expect(state.contains(#""limit":"all","verdict":"pass","key":"everybody""#))
        let one = try world.admin("GET /limits/key?user=a%20b%2Bc&route=a&limit=reports").text
        #expect(one.contains(#""remaining":1"#))
        #expect(one.contains(#""route":"a""#))
        #expect(!one.contains("endpoint=GET /b"))
        let post = try world.admin(
            "GET /limits/key?user=a%20b%2Bc&route=a&limit=reports&method=POST"
        ).text
        #expect(post.contains(#""remaining":2"#))
    }

    @Test(arguments: [
        ("GET /limits/key", 400, "say whose"),
        ("GET /limits/key?usr=1", 400, "unknown parameter `usr`"),
        ("GET /limits/key?user=1&user=2", 400, "`user` is there 2 times"),
        ("GET /limits/key?ip=1.2.3", 400, "`1.2.3` is not an IP address"),
        ("GET /limits/key?user=%zz", 400, "malformed escape"),
        ("GET /limits/key?user=%ff", 400, "not UTF-8"),
        ("GET /limits/key?header.X-Odd=1", 400, "no limit counts by the header `x-odd`"),
        ("GET /limits/key?claim.org=1", 400, "no limit counts by the claim `org`"),
        ("GET /limits/key?user=1&route=nowhere", 400, "no route `nowhere`"),
        ("GET /limits/key?user=1&limit=nothing", 404, "no limit `nothing`"),
        ("GET /limits/top?count=0", 400, "from 1 to 1000"),
        ("GET /limits/top?count=2x", 400, "from 1 to 1000"),
        ("GET /limits?x=1", 400, "unknown parameter `x`"),
        ("POST /limits/reset?ip=192.0.2.1", 400, "`limit` is needed"),
        ("POST /limits/reset?limit=login&user=1", 400, "say also ip"),
        ("POST /limits/reset?limit=reports&ip=192.0.2.1", 409, "for lack of user"),
        ("POST /limits/reset?limit=running&ip=192.0.2.1", 409, "requests in flight"),
        ("POST /limits/reset?limit=login&ip=192.0.2.1&route=a", 409, "no route"),
        ("POST /limits/boost?limit=login&ip=192.0.2.1&for=1m", 400, "`factor`"),
        ("POST /limits/boost?limit=login&ip=192.0.2.1&factor=1001&for=1m", 400, "`factor`"),
        ("POST /limits/boost?limit=login&ip=192.0.2.1&factor=2", 400, "`for` is needed"),
        ("POST /limits/boost?limit=login&ip=192.0.2.1&factor=2&for=32d", 400, "not a duration"),
        (
            "POST /limits/boost?limit=login&ip=192.0.2.1&factor=2&for=99999999999999999999d", 400,
            "dur"
        ),
        ("GET /nothing", 404, "/limits/key"),
    ])
    func `a wrong question is told what is wrong`(line: String, status: Int, reason: String) throws
    {
        let answer = try AdminWorld(Self.yaml).admin(line)
        #expect(answer.status == status)
        #expect(answer.text.contains(reason), "\(answer.text)")
        #expect(answer.text.hasPrefix("{\"error\":\""))
    }

    @Test(arguments: [
        ("POST /limits", "GET, HEAD"), ("POST /metrics", "GET, HEAD"),
        ("GET /limits/reset", "POST"), ("GET /limits/boost", "POST"),
        ("DELETE /explain", "GET, HEAD, POST"), ("PUT /health", "GET, HEAD"),
    ])
    func `another method is told which there are`(line: String, allowed: String) throws {
        let answer = try AdminWorld(Self.yaml).admin(line)
        #expect(answer.status == 405)
        #expect(answer["Allow"] == allowed)
    }

    @Test func `a reset lets a refused key pass again, and no other one`() throws {
        let world = try AdminWorld(Self.yaml)
        #expect(try world.statuses("GET /login", 4).last == 429)
        let other = try world.admin("POST /limits/reset?limit=login&ip=192.0.2.9")
        #expect(
            other.text == #"{"limit":"login","keys":[{"key":"ip=192.0.2.9","reset":false}]}"# + "\n"
        )
        #expect(try world.statuses("GET /login", 1) == [429])
        let own = try world.admin("POST /limits/reset?limit=login&ip=192.0.2.1")
        #expect(own.text.contains(#"{"key":"ip=192.0.2.1","reset":true}"#))
        #expect(try world.statuses("GET /login", 4) == [200, 200, 200, 429])
    }

    @Test func `a boost multiplies a key's rate for its time, and a factor of 1 ends it`() throws {
        let world = try AdminWorld(Self.yaml)
        let form = "limit=login&ip=192.0.2.1&factor=2&for=10m"
        let boost = try world.admin(
            "POST /limits/boost", "Content-Type: application/x-www-form-urlencoded\r\n", body: form)
        #expect(
            boost.text.contains(#"{"key":"ip=192.0.2.1","quota":6,"until":"20"#), "\(boost.text)")
        let state = try world.admin("GET /limits/key?ip=192.0.2.1&limit=login").text
        #expect(state.contains(#""remaining":6,"quota":6"#))
        #expect(state.contains(#""boosted":true"#))
        #expect(try world.statuses("GET /login", 5) == Array(repeating: 200, count: 5))
        let end = try world.admin("POST /limits/boost?limit=login&ip=192.0.2.1&factor=1")
        #expect(end.status == 200)
        #expect(!end.text.contains("until"))
        #expect(try world.statuses("GET /login", 1) == [429])
        // And the same by the time.
        _ = try world.admin("POST /limits/boost?limit=login&ip=192.0.2.1&factor=2&for=10m")
        #expect(try world.statuses("GET /login", 1) == [200])
        world.world.run(for: .seconds(601))
        #expect(try world.statuses("GET /login", 1) == [429])
    }

    @Test func `the keys refused most come first, and a reset takes one out`() throws {
        let world = try AdminWorld(Self.yaml)
        _ = try world.statuses("GET /login", 5)
        _ = try world.statuses("GET /a/1", 6, "X-User-ID: 42\r\n")
        // Who passes is not there, and shadow limits refuse nobody.
        let top = try world.admin("GET /limits/top").text
        let first =
            #"{"limit":"reports","key":"user=42, endpoint=GET /a/**","refusals":4,"error":0,"#
        let second = #"{"limit":"login","key":"ip=192.0.2.1","refusals":2,"error":0,"#
        #expect(top.contains(first), "\(top)")
        #expect(top.contains(second), "\(top)")
        #expect(top.components(separatedBy: "\"limit\"").count == 3)
        #expect(
            try #require(top.range(of: first)).lowerBound
                < #require(top.range(of: second)).lowerBound)
        #expect(try world.admin("GET /limits/top?count=1").text.contains("login") == false)
        _ = try world.admin("POST /limits/reset?limit=reports&user=42&route=a")
        #expect(try world.admin("GET /limits/top").text.contains("reports") == false)
    }
}
