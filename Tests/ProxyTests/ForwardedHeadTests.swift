import Primitives
import Proxy
import TestKit
import Testing

/// What an origin sees of a request, and a client of an answer.
@Suite struct ForwardedHeadTests {
    /// The request as it arrives at the origin, and the answer as it arrives at the client.
    private func pass(
        _ request: String, _ yaml: String = "", from source: IPAddress = ProxyWorld.client(1),
        answer: String = ok("fine")
    ) throws -> (request: SimulatedMessage, answer: SimulatedMessage) {
        let world = try ProxyWorld(yaml)
        let arrived = Probe<SimulatedMessage?>(nil)
        let returned = Probe<SimulatedMessage?>(nil)
        world.origin { peer in
            arrived.value = try await peer.readRequest()
            try await peer.send(answer)
        }
        world.client(from: source) { returned.value = try await $0.ask(request) }
        #expect(world.problems() == [])
        return (try #require(arrived.value), try #require(returned.value))
    }

    @Test func `fields of one connection end at the proxy, in both directions`() throws {
        let (request, answer) = try pass(
            get(
                "/", "Connection: keep-alive, X-One", "X-One: 1", "Keep-Alive: timeout=5",
                "Proxy-Connection: keep-alive", "TE: trailers", "X-Two: 2"),
            answer: ok("fine", "Connection: X-Three", "X-Three: 3", "Keep-Alive: 1", "X-Four: 4"))
        for name in ["X-One", "Keep-Alive", "Proxy-Connection", "TE", "Connection"] {
            #expect(request[name] == nil, "\(name)")
        }
        #expect(request["X-Two"] == "2")
        for name in ["X-Three", "Keep-Alive", "Connection"] {
            #expect(answer[name] == nil, "\(name)")
        }
        #expect(answer["X-Four"] == "4")
    }

    @Test func `names with a case of their own may be the identity's, too`() throws {
        let identity = """
            identity:
              trusted_proxies: [10.4.0.0/16]
              user: header:Origin
              forwarded: {user: x_api_key, tier: off}
            """
        let head = get("/", "X-API-Key: k", "Origin: o", "Accept: a", "X-Other: 1")
        let (request, _) = try pass(head, identity)
        #expect(request["X-API-Key"] == nil && request["Origin"] == nil)
        #expect(request["Accept"] == "a" && request["X-Other"] == "1")
        let (trusted, _) = try pass(head, identity, from: ProxyWorld.trusted)
        #expect(trusted["X-API-Key"] == nil && trusted["Origin"] == "o")
        #expect(trusted["x_api_key"] == "o")
    }

    @Test func `Via names the proxy after those before it, in both directions`() throws {
        let (request, answer) = try pass(
            get("/", "Via: 1.1 first"), answer: ok("fine", "Via: 1.1 last"))
        #expect(request.all("Via") == ["1.1 first", "1.1 weir"])
        #expect(answer.all("Via") == ["1.1 last", "1.1 weir"])
    }

    @Test func `of a peer that is not trusted nothing is believed`() throws {
        let (request, _) = try pass(
            get(
                "/", "X-Forwarded-For: 1.2.3.4", "Forwarded: for=1.2.3.4", "X-Forwarded-Host: evil",
                "X-Forwarded-Port: 1", "X-Forwarded-Proto: https", "X-User: admin", "x-USER: root"),
            "identity: {trusted_proxies: [10.4.0.0/16], user: header:X-User}")
        #expect(request.all("X-Forwarded-For") == ["10.3.0.1"])
        #expect(request.all("Forwarded") == ["for=10.3.0.1;host=api.example.com;proto=http"])
        #expect(request.all("X-Forwarded-Host") == ["api.example.com"])
        #expect(request.all("X-Forwarded-Proto") == ["http"])
        #expect(request["X-Forwarded-Port"] == nil)
        #expect(request["X-User"] == nil)
    }

    @Test func `a trusted peer's word is passed on, with the peer behind it`() throws {
        let (request, _) = try pass(
            get(
                "/", "X-Forwarded-For: 192.0.2.1, 198.51.100.7", "X-Forwarded-Proto: https",
                "X-User: u1"),
            "identity: {trusted_proxies: [10.4.0.0/16], user: header:X-User}",
            from: ProxyWorld.trusted)
        #expect(request.all("X-Forwarded-For") == ["192.0.2.1, 198.51.100.7, 10.4.0.1"])
        #expect(request.all("X-Forwarded-Proto") == ["https"])
        #expect(request.all("X-User") == ["u1"])
        #expect(request["Forwarded"]?.hasPrefix("for=198.51.100.7, for=10.4.0.1") == true)
    }

    @Test(
        arguments: [
            ("/api/x?q=/api", "/x?q=/api"), ("/api", "/"), ("/api?q", "/?q"), ("/api/", "/"),
            ("//api/x", "/x"), ("///api//x", "/x"), ("/api//x", "/x"), ("/%61pi/x", "/x"),
            ("/a/../api/./x", "/x"), ("/api/api/x", "/api/x"),
        ])
    func `the prefix that a route strips is segments, however they are spelt`(
        target: String, forwarded: String
    ) throws {
        let yaml = """
            routes:
              - {path: /api/**, strip_prefix: /api}
            """
        let (request, _) = try pass(get(target), yaml)
        #expect(request.target == forwarded)
    }

    @Test func `a target in absolute form names the host and is forwarded as a path`() throws {
        let (request, _) = try pass(
            "GET http://other.example:81/x?y HTTP/1.1\r\nHost: ignored.example\r\n\r\n")
        #expect(request.target == "/x?y")
        #expect(request.all("Host") == ["other.example:81"])
    }

    @Test func `bodies and trailers pass in both directions, framed anew`() throws {
        let chunked = "4\r\nWiki\r\n5;ext=1\r\npedia\r\n0\r\nX-Sum: 9\r\n\r\n"
        let (request, answer) = try pass(
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked,
            answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked)
        #expect(request.text == "Wikipedia")
        #expect(request.trailers.map(\.value) == ["9"])
        #expect(answer.text == "Wikipedia")
        #expect(answer.trailers.map(\.value) == ["9"])
    }

    @Test func `HEAD keeps the length and has no body, and the connection goes on`() throws {
        let world = try ProxyWorld("")
        world.origin { peer in
            while let request = try await peer.nextRequest() {
                let head = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n"
                try await peer.send(request.method == "HEAD" ? head : head + "body")
            }
        }
        world.client { peer in
            let head = try await peer.ask(get("/", method: "HEAD"))
            try peer.require(head["Content-Length"] == "4", "no length")
            let answer = try await peer.ask(get("/"))
            try peer.require(answer.text == "body", answer.text)
        }
        #expect(world.problems() == [])
    }
}
