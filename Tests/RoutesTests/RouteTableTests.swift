import HTTPModel
import Primitives
import Testing

@testable import Routes

private func route(
    _ path: String, _ methods: [String] = [], host: String? = nil,
    headers: [RouteDefinition.HeaderCondition] = []
) -> RouteDefinition {
    RouteDefinition(name: path, path: path, methods: methods, host: host, headers: headers)
}

struct PathCase: Sendable {
    var pattern: String
    var matching: [String]
    var others: [String]
}

@Test(arguments: [
    PathCase(pattern: "/", matching: ["/", "//"], others: ["/a", "*", ""]),
    PathCase(
        pattern: "/a", matching: ["/a", "//a", "///a"], others: ["/", "/a/", "/A", "/ab", "/a/b"]),
    PathCase(pattern: "/a/", matching: ["/a/", "//a//"], others: ["/a", "/a/b", "/"]),
    PathCase(
        pattern: "/api/**", matching: ["/api", "/api/", "/api/x/y", "/api//x", "//api"],
        others: ["/", "/apix", "/ap", "/API/x", "/x/api"]),
    PathCase(pattern: "/**", matching: ["/", "/a", "/a/b/", "*"], others: []),
    PathCase(
        pattern: "/u/*/x", matching: ["/u/1/x", "/u//1//x"],
        others: ["/u/x", "/u//x", "/u/1/2/x", "/u/1"]),
    PathCase(pattern: "/u/{id}", matching: ["/u/1", "/u/*"], others: ["/u", "/u/", "/u/1/"]),
    PathCase(pattern: "/*/**", matching: ["/a", "/a/", "/a/b"], others: ["/", "//", "*"]),
    PathCase(
        pattern: "/caf\u{e9}/a%2fb/%41", matching: ["/caf%C3%A9/a%2Fb/A"], others: ["/cafe/a/b/A"]),
])
func `a pattern matches these paths and no others`(sample: PathCase) {
    let table = RouteTable([route(sample.pattern)])
    for path in sample.matching { #expect(table.match(request(path)) == 0, "\(path)") }
    for path in sample.others { #expect(table.match(request(path)) == nil, "\(path)") }
}

@Test func `the first route that matches wins, even when a later one is more exact`() {
    let table = RouteTable([
        route("/api/*"), route("/api/users"), route("/api/**"), route("/api/users/me"),
        route("/**"),
    ])
    #expect(table.match(request("/api/users")) == 0)
    #expect(table.match(request("/api/users/me")) == 2)
    #expect(table.match(request("/other")) == 4)
}

@Test func `a literal branch that ends nowhere does not hide a wildcard branch`() {
    let table = RouteTable([route("/a/b/c"), route("/*/b/d"), route("/a/*/e")])
    #expect(table.match(request("/a/b/d")) == 1)
    #expect(table.match(request("/a/b/e")) == 2)
    #expect(table.match(request("/a/b/f")) == nil)
}

@Test func `methods are compared with case and GET serves HEAD`() {
    let table = RouteTable([
        route("/x", ["POST"]), route("/x", ["GET"]), route("/x", ["PURGE", "BAN"]),
        route("/y", ["HEAD"]),
    ])
    #expect(table.match(request("/x", method: "POST")) == 0)
    #expect(table.match(request("/x", method: "GET")) == 1)
    #expect(table.match(request("/x", method: "HEAD")) == 1)
    #expect(table.match(request("/x", method: "BAN")) == 2)
    #expect(table.match(request("/x", method: "ban")) == nil)
    #expect(table.match(request("/x", method: "PUT")) == nil)
    #expect(table.match(request("/y", method: "GET")) == nil)
}

@Test(
    arguments: [
        ("example.com", 0), ("EXAMPLE.com:8443", 0), ("example.com.", 0), ("a.example.com", 1),
        ("a.b.Example.Com:80", 1), (".example.com", nil), ("badexample.com", nil), ("", nil),
        ("[2001:db8::1]:80", 2), ("[2001:db8::1]", 2), ("[2001:db8::2]", nil),
        ("example.com.evil", nil),
    ] as [(String, Int?)])
func `a host is compared without case and without port`(host: String, expected: Int?) {
    let table = RouteTable([
        route("/**", host: "example.com"), route("/**", host: "*.example.com"),
        route("/**", host: "[2001:db8::1]"),
    ])
    #expect(table.match(request("/", host: host)) == expected)
}

@Test func `header conditions must all hold, each on one line`() {
    let beta = RouteDefinition.HeaderCondition(name: "x-beta", value: "yes")
    let json = RouteDefinition.HeaderCondition(name: "accept", value: "application/json")
    let anyKey = RouteDefinition.HeaderCondition(name: "x-api-key", value: nil)
    let table = RouteTable([route("/", headers: [beta, json]), route("/", headers: [anyKey])])
    #expect(
        table.match(request("/", fields: [("X-BETA", "yes"), ("Accept", "application/json")])) == 0)
    #expect(table.match(request("/", fields: [("X-Beta", "yes")])) == nil)
    #expect(
        table.match(request("/", fields: [("X-Beta", "Yes"), ("Accept", "application/json")]))
            == nil)
    let repeated = [("X-Beta", "no"), ("Accept", "application/json"), ("x-beta", "yes")]
    #expect(table.match(request("/", fields: repeated)) == 0)
    #expect(table.match(request("/", fields: [("X-API-Key", "")])) == 1)
}

@Test func `an empty table matches nothing`() {
    #expect(RouteTable([]).match(request("/")) == nil)
    #expect(RouteTable([]).match(request("*")) == nil)
}

@Test func `random tables give what the obvious matcher gives`() {
    var random = SeededRandom(seed: 2)
    let words = ["a", "b", "ab", "*", "{x}"]
    for _ in 0..<400 {
        let routes = (0..<(1 + random.below(30))).map { _ in
            var path = ""
            for depth in 0..<random.below(5) {
                let word = words[random.below(words.count)]
                path += "/" + (word == "{x}" ? "{x\(depth)}" : word)
            }
            path += ["", "/", "/**"][random.below(3)]
            return route(
                path.isEmpty ? "/" : path,
                [[], [], ["GET"], ["POST", "PURGE"]][random.below(4)],
                host: [nil, nil, "h.test", "*.h.test"][random.below(4)])
        }
        let table = RouteTable(routes)
        for _ in 0..<100 {
            var path = ""
            for _ in 0..<random.below(6) {
                path += ["/a", "/b", "/ab", "/c", "/"][random.below(5)]
            }
            if path.isEmpty { path = "/" }
            let method = ["GET", "HEAD", "POST", "PURGE", "PUT"][random.below(5)]
            let host = ["h.test", "x.h.test", "other"][random.below(3)]
            let expected = RouteModel.match(routes, method: method, path: path, host: host)
            let found = table.match(request(path, method: method, host: host))
            #expect(found == expected, "\(method) \(host)\(path) in \(routes.map(\.path))")
        }
    }
}

@Test func `a table made to branch everywhere costs no more than its nodes`() {
    // All 512 patterns of nine segments `a` or `*`, the least exact first, so that it is found last.
    let routes = (0..<512).reversed().map { number in
        let segments = (0..<9).map { number >> $0 & 1 == 0 ? "a" : "*" }
        return route("/" + segments.joined(separator: "/") + "/end")
    }
    let table = RouteTable(routes)
    let segments = Set(
        routes.flatMap { route in
            let parts = route.path.split(separator: "/")
            return (0...parts.count).map { parts.prefix($0).joined(separator: "/") }
        })
    for tail in ["", "/", "/x", "/end", "/end/x", "/a/a/a/a/a/a"] {
        var visits = 0
        let path = String(repeating: "/a", count: 9) + tail
        #expect(table.match(request(path), visits: &visits) == (tail == "/end" ? 0 : nil))
        #expect(visits <= segments.count)
    }
}

@Test func `hundreds of routes that do not overlap cost one node per segment`() {
    let routes = (0..<800).map { route("/api/v1/service\($0)/{id}/items/**") } + [route("/**")]
    let table = RouteTable(routes)
    var visits = 0
    #expect(table.match(request("/api/v1/service799/42/items/7"), visits: &visits) == 799)
    #expect(visits == 6)
}

@Test func `a table with a broken path stops at once`() async {
    await #expect(processExitsWith: .failure) {
        _ = RouteTable([RouteDefinition(name: "x", path: "/a/**/b")])
    }
}
