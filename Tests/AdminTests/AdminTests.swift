import Primitives
import TestKit
import Testing

/// The admin address itself: who may ask, how much, and explanations.
@Suite struct AdminTests {
    private static let yaml = """
        identity: {trusted_proxies: [10.0.0.0/8], user: header:X-User-ID}
        limits:
          login: {rate: 3/hour, per: ip, algorithm: sliding_window}
        cache: 5m
        routes: [{path: /login, limits: [login]}, {path: /**, name: rest}]

        """

    @Test func `without the token only health is answered`() throws {
        let world = try AdminWorld(Self.yaml, token: "s3cret")
        #expect(try world.admin("GET /healthz").status == 200)
        for line in [
            "GET /metrics", "GET /limits", "GET /limits/top", "GET /explain?request=GET%20/",
            "POST /limits/reset?limit=login&ip=192.0.2.1", "GET /nothing",
        ] {
            let answer = try world.admin(line)
            #expect(answer.status == 401, "\(line)")
            #expect(answer["WWW-Authenticate"] == "Bearer realm=\"weir-admin\"")
            let wrong = try world.admin(line, "Authorization: Bearer s3creT\r\n")
            #expect(wrong.status == 401, "\(line)")
        }
        let right = try world.admin("GET /limits", "Authorization: bearer s3cret\r\n")
        #expect(right.status == 200)
    }

    @Test func `an explanation has the live levels, as JSON and as text`() throws {
        let world = try AdminWorld(Self.yaml)
        _ = try world.statuses("GET /login", 2)
        let question = "request=GET%20/login&ip=192.0.2.1"
        let json = try world.admin("GET /explain?\(question)")
        #expect(json["Content-Type"] == "application/json")
        #expect(json.text.contains(#""key":"ip=192.0.2.1""#))
        #expect(json.text.contains(#""remaining":1,"quota":3"#))
        let text = try world.admin("GET /explain?format=text&\(question)")
        #expect(text["Content-Type"] == "text/plain; charset=utf-8")
        #expect(text.text.contains("level  1 left"))
        #expect(try world.statuses("GET /login", 2) == [200, 429])
        let refused = try world.admin("GET /explain?\(question)").text
        #expect(refused.contains(#""outcome":{"action":"refused","status":429"#))
        let form =
            "request=GET+/x&ip=10.0.0.1&header=X-User-ID:+42&header=X-Forwarded-For:+192.0.2.7"
        let post = try world.admin(
            "POST /explain", "Content-Type: application/x-www-form-urlencoded\r\n", body: form)
        #expect(post.text.contains(#""address":{"value":"192.0.2.7""#), "\(post.text)")
        #expect(post.text.contains(#""user":{"value":"42","source":"header:x-user-id"}"#))
    }

    @Test(arguments: [
        ("GET /explain", "`request` is needed"),
        ("GET /explain?request=GET", "a method and a target"),
        ("GET /explain?request=GET%20/&header=nocolon", "a header is"),
        ("GET /explain?request=GET%20/&header=A:%20b%0d%0aC:%20d", "control"),
        ("GET /explain?request=GET%20/&ip=here", "not an IP address"),
        ("GET /explain?request=GET%20/&format=xml", "json or text"),
        ("GET /explain?request=GET%20/&level=1", "unknown parameter `level`"),
    ])
    func `a question that is none is told why`(line: String, reason: String) throws {
        let answer = try AdminWorld(Self.yaml).admin(line)
        #expect(answer.status == 400)
        #expect(answer.text.contains(reason), "\(answer.text)")
    }

    @Test(arguments: [("request=%2", "not percent-encoded"), ("request=GET+/&x", "`x`")])
    func `a form that is none is told why`(form: String, reason: String) throws {
        let answer = try AdminWorld(Self.yaml).admin(
            "POST /explain", "Content-Type: application/x-www-form-urlencoded\r\n", body: form)
        #expect(answer.status == 400)
        #expect(answer.text.contains(reason), "\(answer.text)")
    }

    @Test func `a body above 1 MiB is answered 413, however it comes`() throws {
        let world = try AdminWorld(Self.yaml)
        let declared = try world.ask(
            ["POST /explain HTTP/1.1\r\nHost: a\r\nContent-Length: 1048577\r\n\r\nx"],
            at: AdminWorld.adminAddress)[0]
        #expect(declared.status == 413)
        #expect(declared["Connection"] == "close")
        #expect(declared.text.contains("1 MiB"))
        // The client sends all of it before it reads; the answer is still there.
        let part = String(repeating: "y", count: 0x10000)
        let chunks = String(repeating: "10000\r\n\(part)\r\n", count: 40)
        let chunked = try world.ask(
            [
                "POST /explain HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\(chunks)0\r\n\r\n"
            ], at: AdminWorld.adminAddress)[0]
        #expect(chunked.status == 413)
        let just = String(repeating: "z", count: 1 << 20)
        #expect(try world.admin("POST /explain", body: just).status == 415)
        let malformed = try world.ask(
            ["POST /explain HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"],
            at: AdminWorld.adminAddress)[0]
        #expect(malformed.status == 400)
    }
}
