import Caching
import Config
import Settings
import Testing

private let cached = "cache: {ttl: 1s, "

@Test func `bypass rules are lists of names, or names with values`() throws {
    let read = try settings(
        frame + cached
            + "bypass: {headers: [X-No-Cache], cookies: {session: ~, Debug: on}, query: nocache}}\n"
    )
    let rules = try #require(read.routes[0].cache?.bypass)
    #expect(rules.headers == [.init(name: "x-no-cache")])
    #expect(rules.cookies == [.init(name: "session"), .init(name: "Debug", value: "on")])
    #expect(rules.query == [.init(name: "nocache")])
}

@Test func `a route's bypass takes the place of the common one`() throws {
    let read = try settings(
        frame + cached + "bypass: {query: a}}\n"
            + "routes: [{path: /a, cache: {bypass: {}}}, {path: /b, cache: {ttl: 2s}}]\n")
    #expect(read.routes[0].cache?.bypass == BypassRules())
    #expect(read.routes[1].cache?.bypass.query == [.init(name: "a")])
}

@Test(arguments: [
    ("bypass: {header: [a]}", "unknown key `header`; did you mean `headers`?"),
    ("bypass: [a]", "expected a mapping with `headers`, `cookies` or `query`, found a list"),
    ("bypass: {headers: ['a b']}", "\"a b\" is no name among header fields"),
    ("bypass: {query: ['a=b']}", "\"a=b\" is no name among query parameters"),
    ("bypass: {headers: [X-A, x-a]}", "`x-a` stands twice"),
    ("origin_ttl: Cache-Control", "`Cache-Control` has a meaning of its own"),
    ("origin_ttl: 'a b'", "expected `off` or the name of a header field, found \"a b\""),
    ("set_cookie: keep", "unknown choice `keep`"),
    ("set_cookie: store", "needs `vary_by: [user]`: one client's cookies would go to others"),
])
func `what the rules of a cache cannot be is said`(line: String, expected: String) {
    let found = messages(frame + cached + line + "}\n")
    #expect(found.count == 1)
    #expect(found.first?.contains(expected) == true, "\(found)")
}

@Test func `the field of origin_ttl is kept in lower case, off is none`() throws {
    let read = try settings(
        frame + cached + "origin_ttl: X-Accel-Expires}\n"
            + "routes: [{path: /a, cache: 1s}, {path: /b, cache: {origin_ttl: off}}]\n")
    #expect(read.routes[0].cache?.originTTLName == Array("x-accel-expires".utf8))
    #expect(read.routes[1].cache?.originTTLName == [])
}

@Test func `cookies are stored for users that are proven only`() throws {
    let routes = "routes: [{path: /a, cache: {ttl: 1s, set_cookie: store, vary_by: [user]}}]\n"
    let read = try settings(identified + routes)
    #expect(read.routes[0].cache?.setCookie == .store)
    let found = messages(frame + "identity: {user: cookie:sid}\n" + routes)
    #expect(found.count == 1 && found[0].contains("comes from a cookie, which proves nothing"))
}
