import Config
import Primitives
import Settings
import Testing

private func warm(_ text: String) -> String { frame + "cache: {ttl: 1m, warm: \(text)}\n" }

@Test func `warming has defaults for all but what is warmed`() throws {
    let read = try #require(settings(warm("{urls: http://API.example.com/a}")).warm)
    #expect(read.urls == [WarmRequest(host: "api.example.com", target: "/a")])
    #expect(read.atStart && read.atPurge && read.concurrency == 8)
    #expect(read.top == 0 && read.file == nil && read.chance == 0 && read.interval == .seconds(60))
    #expect(try settings(frame + "cache: 1m\n").warm == nil)
}

@Test func `every key of warming is read`() throws {
    let text = """
        {host: "api.example.com:8080", urls: [/a, "http://[::1]:81", {url: "/b?c=%20", headers: {Accept-Language: de}}],
        at: purge, top: 12.5%, file: /var/lib/weir/popular, interval: 5m, chance: 10%, concurrency: 3}
        """
    let read = try #require(settings(warm(text.replacing("\n", with: " "))).warm)
    #expect(
        read.urls == [
            WarmRequest(host: "api.example.com:8080", target: "/a"),
            WarmRequest(host: "[::1]:81", target: "/"),
            WarmRequest(
                host: "api.example.com:8080", target: "/b?c=%20",
                fields: [.init(name: "accept-language", value: "de")]),
        ])
    #expect(!read.atStart && read.atPurge && read.concurrency == 3)
    #expect(read.top == 0.125 && read.file == "/var/lib/weir/popular")
    #expect(read.interval == .seconds(300) && read.chance == 0.1)
}

@Test(arguments: [
    ("{}", "nothing would be warmed"),
    ("{urls: /a}", "which host do clients ask for it? It is a part of the key"),
    ("{host: a, urls: a}", "expected `http://host/path` or `/path`, found \"a\""),
    ("{host: a, urls: '/a#b'}", "expected `http://host/path` or `/path`, found \"/a#b\""),
    ("{host: 'a b', top: 1%, chance: 1%}", "expected the host that clients send"),
    ("{host: a, urls: 'http://a:b/'}", "`a:b` is no host name"),
    ("{host: a, urls: [/a, http://a/a]}", "stands twice"),
    ("{host: a, urls: [{url: /a, headers: {Authorization: x}}]}", "for nobody in particular"),
    ("{host: a, urls: [{url: /a, headers: {If-None-Match: x}}]}", "for nobody in particular"),
    ("{host: a, urls: [{headers: {a: b}}]}", "`url` is missing"),
    ("{host: a, urls: /a, at: []}", "expected `start`, `purge` or both"),
    ("{host: a, urls: /a, at: noon}", "unknown moment `noon`"),
    ("{top: 10%}", "popular keys would be counted, but never used"),
    ("{host: a, urls: /a, file: /x}", "there are none without `top`"),
    ("{host: a, urls: /a, chance: 1%}", "there are none without `top`"),
    ("{top: 10%, file: /x/}", "expected the path of a file"),
    ("{host: a, urls: /a, concurrency: 0}", "expected a whole number from 1 to 256"),
    ("{host: a, urls: /a, top: 10%, file: /x, interval: 1ms}", "expected a duration from 1s to"),
])
func `what warming cannot be is said`(text: String, expected: String) {
    let found = messages(warm(text))
    #expect(found.count == 1, "\(found)")
    #expect(found.first?.contains(expected) == true, "\(found)")
}

@Test(arguments: [
    ("/a", "no route takes it"), ("/plain", "does not use the cache"),
    ("/user", "has an answer for each client"), ("/auth", "has an answer for each client"),
    ("/ip", "has an answer for each client"), ("/post", "no route takes it"),
])
func `a URL must be one that can be stored for everybody`(path: String, expected: String) {
    let text =
        identified + "cache: {warm: {host: a, urls: ['\(path)', /ok]}}\n" + """
            routes:
              - {path: /ok, cache: 1m}
              - {path: /plain}
              - {path: /user, cache: {ttl: 1m, vary_by: [user]}}
              - {path: /ip, cache: {ttl: 1m, vary_by: [ip]}}
              - {path: /auth, cache: 1m, auth: required}
              - {path: /post, methods: [POST], cache: 1m}

            """
    let found = messages(text)
    #expect(found.count == 1, "\(found)")
    #expect(found.first?.contains(expected) == true, "\(found)")
}

@Test func `a field that says who asks is refused`() {
    let found = messages(
        identified + "cache: {ttl: 1m, warm: {urls: [{url: http://a/, headers: {X-Tier: pro}}]}}\n")
    #expect(found.count == 1 && found[0].contains("`x-tier` says who asks"), "\(found)")
}

@Test func `a route cannot warm, it belongs to all`() {
    let found = messages(frame + "routes: [{path: /a, cache: {ttl: 1m, warm: {top: 1%}}}]\n")
    #expect(found.count == 1 && found[0].contains("belongs to the top-level `cache:`"))
}
