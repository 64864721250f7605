import Primitives
import Testing
import Upstreams

@Suite struct FetchURLTests {
    @Test(
        arguments: [
            ("https://a.example/keys", "a.example", 443, "a.example", "/keys"),
            ("http://a.example", "a.example", 80, "a.example", "/"),
            ("HTTPS://A.Example:443/K?x=1&y", "a.example", 443, "a.example", "/K?x=1&y"),
            ("http://a.example:443/", "a.example", 443, "a.example:443", "/"),
            ("https://a.example:8443?q", "a.example", 8443, "a.example:8443", "/?q"),
            ("http://10.2.0.1:8000/j", "10.2.0.1", 8000, "10.2.0.1:8000", "/j"),
            ("https://[2001:DB8::1]/j", "2001:db8::1", 443, "[2001:db8::1]", "/j"),
            ("https://[::1]:9/j", "::1", 9, "[::1]:9", "/j"),
            ("https://host_1/a://b", "host_1", 443, "host_1", "/a://b"),
        ] as [(String, String, UInt16, String, String)])
    func `a URL is taken apart`(
        text: String, host: String, port: UInt16, authority: String, target: String
    ) throws {
        let url = try #require(FetchURL(text))
        #expect(url.host == host)
        #expect(url.port == port)
        #expect(url.authority == authority)
        #expect(url.target == target)
        #expect(url.isSecure == text.lowercased().hasPrefix("https"))
        #expect((url.address != nil) == (host.contains(":") || host.hasPrefix("10.")))
    }

    @Test(arguments: [
        "", "a.example/keys", "ftp://a/", "://a/", "https:///keys", "https://", "https://?x",
        "https://user@a.example/", "https://user:secret@a.example/", "https://a.example/#part",
        "https://a.example/with space", "https://a.example/\r\nX: y", "https://a.example/\u{E9}",
        "https://\u{E9}.example/", "https://a.example:0/", "https://a.example:65536/",
        "https://a.example:/", "https://a.example:x/", "https://a..b/", "https://-a/",
        "https://a-.b/", "https://[::1", "https://[10.0.0.1]/", "https://[nothing]/",
        "https://10.0.0.256/", "https://1.2.3/", "https://::1/", "https://a.example\\b/",
        "https://a.example/{x}", "https://a.example./",
    ])
    func `what is no URL is refused`(text: String) {
        #expect(FetchURL(text) == nil)
    }

    @Test func `a URL has a bound`() {
        let start = "https://a.example/"
        let longest = start + String(repeating: "a", count: 2048 - start.utf8.count)
        #expect(FetchURL(longest) != nil)
        #expect(FetchURL(longest + "a") == nil)
    }

    @Test func `messages do not hold the query`() throws {
        let url = try #require(FetchURL("https://a.example:8443/keys?token=secret"))
        #expect(url.label == "https://a.example:8443/keys")
    }
}
