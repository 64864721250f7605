import Foundation
import Primitives
import Proxy
import TestKit
import Testing

/// `/cache` and what is below it.
@Suite struct CacheAPITests {
    private static let yaml = """
        identity: {trusted_proxies: [192.0.2.1], user: header:X-User-ID}
        cache: {ttl: 5m}
        routes:
          - {path: /u/**, name: mine, cache: {vary_by: [user]}}
          - {path: /off, name: off, cache: off}
          - {path: /**, name: rest}

        """

    private func status(_ world: AdminWorld, _ path: String, _ fields: String = "") throws -> String
    {
        let answer = try world.ask(
            ["GET \(path) HTTP/1.1\r\nHost: a\r\n\(fields)\r\n"], at: AdminWorld.proxyAddress)[0]
        let words = (answer["Cache-Status"] ?? "").split(separator: ";")
        return words.count > 1 ? words[1].trimmingCharacters(in: .whitespaces) : ""
    }

    @Test func `a purge by each kind, from the query, a form and JSON`() throws {
        let world = try AdminWorld(Self.yaml)
        let json = "Content-Type: application/json\r\n"
        let form = "Content-Type: application/x-www-form-urlencoded\r\n"
        let purges: [(String, String, String)] = [
            ("?kind=url&value=http://a/x%3fy=1", "", ""),
            ("?kind=prefix&value=/x", "", ""), ("", form, "kind=glob&value=a/*"),
            ("", json, #"{"kind": "all"}"#),
            ("", json, #"{"kind":"glob","value":"/**","soft":false}"#),
        ]
        for (query, fields, body) in purges {
            #expect(try status(world, "/x?y=1") == "fwd=uri-miss")
            #expect(try status(world, "/x?y=1") == "hit")
            let answer = try world.admin("POST /cache/purge\(query)", fields, body: body)
            #expect(answer.status == 200, "\(answer.text)")
            #expect(answer.text.contains(#""soft":false"#))
        }
        #expect(try status(world, "/x?y=1") == "fwd=uri-miss")
        let counts = try world.admin("GET /cache").text
        #expect(counts.contains(#""purged":5"#), "\(counts)")
        let metrics = try world.admin("GET /metrics").text
        #expect(metrics.contains("weir_cache_purges_total{kind=\"glob\"} 2\n"))
    }

    @Test func `a soft purge leaves the answer for stale use, a purge of a user the others'`()
        throws
    {
        let world = try AdminWorld(Self.yaml)
        for user in ["7", "8"] {
            #expect(try status(world, "/u/a", "X-User-ID: \(user)\r\n") == "fwd=uri-miss")
        }
        let soft = try world.admin("POST /cache/purge?kind=user&value=7&soft=true")
        #expect(soft.status == 200)
        #expect(soft.text.contains(#""soft":true"#))
        #expect(try status(world, "/u/a", "X-User-ID: 8\r\n") == "hit")
        #expect(try status(world, "/u/a", "X-User-ID: 7\r\n") == "fwd=stale")
    }

    @Test func `what is stored for a URL`() throws {
        let world = try AdminWorld(Self.yaml)
        _ = try status(world, "/u/a?b", "X-User-ID: 7\r\n")
        _ = try status(world, "/u/a?b", "X-User-ID: 8\r\n")
        let found = try world.admin("GET /cache/key?url=http://A/u/a?b").text
        #expect(found.contains(#""route":"mine""#))
        for user in ["7", "8"] {
            #expect(found.contains(#""key":"{GET}:a:/u/a?b|user=\#(user)","vary":{},"status":200"#))
        }
        #expect(found.contains(#""ttl":300"#) || found.contains(#""ttl":299"#))
        #expect(found.contains(#""stored_when_silent":true"#))
        let nothing = try world.admin("GET /cache/key?url=a/u/b").text
        #expect(nothing.contains(#""entries":[]"#))
        let off = try world.admin("GET /cache/key?url=a/off").text
        #expect(off.contains(#""route":"off","hit_for_miss":false"#))
    }

    @Test(arguments: [
        ("POST /cache/purge", 400, "`kind` is needed"),
        ("POST /cache/purge?kind=path", 400, "no kind `path`; there are url, tag"),
        ("POST /cache/purge?kind=tag", 400, "`tag` needs a value"),
        ("POST /cache/purge?kind=all&value=x", 400, "`all` takes no value"),
        ("POST /cache/purge?kind=tag&value=a&soft=maybe", 400, "`soft` is true or false"),
        ("POST /cache/purge?kind=tag&value=a&force=1", 400, "known are kind, value, soft"),
        ("POST /cache/purge?kind=url&value=/x", 400, "no URL with a host and a path"),
        ("POST /cache/purge?kind=url&value=a/x%20y", 400, "a method and a target"),
        ("POST /cache/purge?kind=glob&value=x", 400, "has no path"),
        ("POST /cache/purge?kind=glob&value=/%0a", 400, "no control characters"),
        ("POST /cache/purge?kind=group&value=x", 400, "a group is `HOST NAME`"),
        ("POST /cache/purge?kind=company&value=x", 400, "no route has `vary_by: [company]`"),
        ("GET /cache/purge?kind=all", 405, "this path answers POST"),
        ("GET /cache?x=1", 400, "unknown parameter `x`"),
        ("GET /cache/key", 400, "`url` is needed"), ("GET /cache/key?url=x", 400, "no URL"),
    ])
    func `a wrong question has a reason`(line: String, status: Int, detail: String) throws {
        let world = try AdminWorld(Self.yaml)
        let answer = try world.admin(line)
        #expect(answer.status == status)
        #expect(answer.text.contains(detail), "\(answer.text)")
    }

    @Test(arguments: ["{", "[]", #"{"a":1} x"#, #"{"a":null}"#, #"{"a":{}}"#, #"{"a" 1}"#, "\"a\""])
    func `a body that is no flat object is refused`(body: String) throws {
        let world = try AdminWorld(Self.yaml)
        let answer = try world.admin(
            "POST /cache/purge", "Content-Type: application/json\r\n", body: body)
        #expect(answer.status == 400)
        #expect(answer.text.contains("one object of texts"))
    }

    @Test func `escapes of JSON are undone`() throws {
        let world = try AdminWorld(Self.yaml)
        let answer = try world.admin(
            "POST /cache/purge", "Content-Type: application/json\r\n",
            body: #" { "kind" : "tag", "value":"a\"\\\u00e9\ud83d\ude00" } "#)
        #expect(answer.text.contains(#""value":"a\"\\é😀""#), "\(answer.text)")
    }

    @Test func `without a route that caches there is nothing to purge`() throws {
        let world = try AdminWorld("routes: [{path: /**}]\n")
        let answer = try world.admin("POST /cache/purge?kind=all")
        #expect(answer.status == 400)
        #expect(answer.text.contains("no route caches"))
    }
}

/// `/cache/bypass` and `/cache/ttl`.
@Suite struct CacheSwitchTests {
    private static let yaml = "cache: {ttl: 60s}\n"

    private func status(_ world: AdminWorld, _ path: String) throws -> String {
        let answer = try world.ask(
            ["GET \(path) HTTP/1.1\r\nHost: a\r\n\r\n"], at: AdminWorld.proxyAddress)[0]
        return answer["Cache-Status"] ?? ""
    }

    @Test func `switched off, all requests go past the cache, which is as it was afterwards`()
        throws
    {
        let world = try AdminWorld(Self.yaml)
        _ = try status(world, "/x")
        let on = try world.admin("POST /cache/bypass?state=on")
        #expect(on.text.hasPrefix(#"{"bypass":true,"ttl_factor":"1"}"#), "\(on.text)")
        #expect(
            try status(world, "/x").hasSuffix("fwd=bypass; fwd-status=200; detail=switched-off"))
        #expect(try world.admin("GET /health").text.contains(#""cache":"switched off""#))
        #expect(try world.admin("GET /health").status == 200)
        #expect(try world.admin("GET /metrics").text.contains("weir_cache_switched_off 1\n"))
        #expect(try world.admin("POST /cache/bypass?state=off").status == 200)
        #expect(try status(world, "/x").hasPrefix("weir; hit"))
        #expect(try !world.admin("GET /health").text.contains("switched"))
        #expect(
            world.changes.value == [.bypassed(until: nil), .used])
    }

    @Test func `what is turned for a time ends by itself, and is told once`() throws {
        let world = try AdminWorld(Self.yaml)
        _ = try status(world, "/x")
        let on = try world.admin("POST /cache/bypass?state=on&for=30s")
        #expect(on.text.contains(#""bypass_until":""#))
        let factor = try world.admin("POST /cache/ttl?factor=2.5&for=40s")
        #expect(factor.text.contains(#""ttl_factor":"2.5","ttl_factor_until":""#), "\(factor.text)")
        #expect(try world.admin("GET /metrics").text.contains("weir_cache_ttl_factor 2.5"))
        #expect(try status(world, "/x").contains("switched-off"))
        world.world.run(for: .seconds(31))
        #expect(try status(world, "/x").hasPrefix("weir; hit; ttl=118"))
        #expect(try world.admin("GET /health").text.contains(#""cache":"ttl factor 2.5""#))
        world.world.run(for: .seconds(10))
        #expect(try status(world, "/x").hasPrefix("weir; hit; ttl=1"))
        #expect(world.changes.value.count == 4)
        #expect(world.changes.value.last == .lifetimes(factor: 1000, until: nil))
    }

    @Test(arguments: [
        ("POST /cache/bypass", 400, "`state` is needed"),
        ("POST /cache/bypass?state=1", 400, "`state` is on or off"),
        ("POST /cache/bypass?state=off&for=1m", 400, "what is ended has no `for`"),
        ("POST /cache/bypass?state=on&for=5", 400, "is not a duration"),
        ("POST /cache/ttl?factor=0", 400, "a number from 0.1 to 100"),
        ("POST /cache/ttl?factor=2.0001", 400, "at most three decimals"),
        ("POST /cache/ttl?factor=1&for=1m", 400, "what is ended has no `for`"),
        ("GET /cache/ttl?factor=1", 405, "answers POST"),
    ])
    func `a wrong order has a reason`(line: String, status: Int, detail: String) throws {
        let answer = try AdminWorld(Self.yaml).admin(line)
        #expect(answer.status == status)
        #expect(answer.text.contains(detail), "\(answer.text)")
    }

    @Test func `statistics tell what the cache did for each route`() throws {
        let world = try AdminWorld(
            """
            cache: {ttl: 60s}
            routes:
              - {path: /a, name: a}
              - {path: /off, name: off, cache: off}
              - {path: /**, name: rest}

            """)
        for path in ["/a", "/a", "/a", "/b", "/off"] { _ = try status(world, path) }
        let text = try world.admin("GET /cache").text
        #expect(
            text.contains(
                #""routes":[{"route":"a","bypass":0,"hit":2,"stale":0,"revalidated":0,"miss":1,"collapsed":0,"hit_percent":67,"body_bytes":4}"#
            ), "\(text)")
        #expect(!text.contains(#""route":"off""#))
        let metrics = try world.admin("GET /metrics").text
        #expect(
            metrics.contains("weir_route_cache_requests_total{route=\"a\",outcome=\"hit\"} 2\n"))
        #expect(metrics.contains("weir_route_cache_hit_ratio{route=\"rest\"} 0\n"))
        #expect(metrics.contains("weir_cache_requests_total{outcome=\"hit\"} 2\n"))
    }
}
