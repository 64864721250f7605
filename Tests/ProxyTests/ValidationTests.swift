import Primitives
import Proxy
import TestKit
import Testing

/// Validation with the origin, as clients and origins see it (RFC 9111 §4.3).
@Suite struct ValidationTests {
    @Test func `9111-4.3.1-variants: the origin may answer with a variant that is stored`() throws {
        let world = try ProxyWorld("cache: {early_refresh: off}")
        let seen = Probe<[String]>([])
        world.origin { peer in
            while let request = try await peer.nextRequest() {
                let asked = request["If-None-Match"] ?? "-"
                seen.update { $0.append(asked) }
                let fields = "ETag: \"1\"\r\nVary: Accept-Language\r\nCache-Control: max-age=60"
                try await peer.send(
                    asked.contains("\"1\"")
                        ? "HTTP/1.1 304 Not Modified\r\n\(fields)\r\n\r\n" : ok("body", fields))
            }
        }
        world.client { peer in
            _ = try await peer.ask(get("/a", "Accept-Language: de"))
            let same = try await peer.ask(get("/a", "Accept-Language: en"))
            try peer.require(same.text == "body", same.startLine)
            try peer.require(
                same["Cache-Status"]
                    == "weir; fwd=vary-miss; fwd-status=304; stored; ttl=59",
                same["Cache-Status"] ?? "-")
            let hit = try await peer.ask(get("/a", "Accept-Language: en"))
            try peer.require(hit["Cache-Status"] == "weir; hit; ttl=59", hit["Cache-Status"] ?? "-")
        }
        #expect(world.problems() == [])
        #expect(seen.value == ["-", "\"1\""])
    }

    @Test func `a 304 about nothing that was named is asked again without conditions`() throws {
        let world = try ProxyWorld("cache: {early_refresh: off}")
        let seen = Probe<[String]>([])
        world.origin { peer in
            while let request = try await peer.nextRequest() {
                seen.update { $0.append(request["If-None-Match"] ?? "-") }
                let fields = "ETag: \"\(seen.value.count)\"\r\nCache-Control: max-age=10"
                try await peer.send(
                    request["If-None-Match"] != nil
                        ? "HTTP/1.1 304 Not Modified\r\n\(fields)\r\n\r\n"
                        : ok("body \(seen.value.count)", fields))
            }
        }
        world.client { peer in
            _ = try await peer.ask(get("/a"))
            await peer.sleep(.seconds(20))
            let new = try await peer.ask(get("/a", "If-None-Match: \"9\""))
            try peer.require(new.text == "body 3", new.startLine)
        }
        #expect(world.problems() == [])
        #expect(seen.value == ["-", "\"1\"", "-"])
    }

    @Test func `9111-5.2.2.7-qualified: a field for one client goes to that one alone`() throws {
        let world = try ProxyWorld("cache: {early_refresh: off}")
        world.origin { peer in
            while try await peer.nextRequest() != nil {
                try await peer.send(
                    ok(
                        "body",
                        "Cache-Control: max-age=60, private=\"set-cookie\"\r\nSet-Cookie: a=b"))
            }
        }
        world.client { peer in
            let first = try await peer.ask(get("/a"))
            try peer.require(first["Set-Cookie"] == "a=b", "no cookie")
            try peer.require(
                first["Cache-Status"] == "weir; fwd=uri-miss; fwd-status=200; stored",
                first["Cache-Status"] ?? "-")
            let second = try await peer.ask(get("/a"))
            try peer.require(second["Set-Cookie"] == nil, "another client's cookie")
            try peer.require(second.text == "body", second.startLine)
        }
        #expect(world.problems() == [])
    }

    @Test func `9213-2.2: what the origin says to this cache alone decides, and ends here`() throws
    {
        let world = try ProxyWorld(
            "cache: {early_refresh: off}\nroutes: [{path: /c/**, cache: {}}, {path: /**, cache: off}]"
        )
        world.origin { peer in
            while try await peer.nextRequest() != nil {
                try await peer.send(
                    ok(
                        "body",
                        "Cache-Control: no-store\r\nWeir-Cache-Control: max-age=60\r\n"
                            + "CDN-Cache-Control: max-age=5"))
            }
        }
        world.client { peer in
            for path in ["/c/a", "/c/a", "/other"] {
                let answer = try await peer.ask(get(path))
                try peer.require(answer["Weir-Cache-Control"] == nil, path)
                try peer.require(answer["CDN-Cache-Control"] == "max-age=5", path)
                try peer.require(answer["Cache-Control"] == "no-store", path)
                if answer["Cache-Status"]?.contains("hit") ?? false {
                    try peer.require(
                        answer["Cache-Status"] == "weir; hit; ttl=59", answer["Cache-Status"] ?? "")
                }
            }
        }
        #expect(world.problems() == [])
    }
}
