import Caching
import HTTPModel
import Primitives
import Testing

/// Which targets an answer to an unsafe method invalidates (RFC 9111 §4.4).
@Suite struct InvalidationTests {
    private func resolve(
        _ reference: String, _ target: String = "/a/b?q=1", host: String = "Example.com",
        isSecure: Bool = false
    ) -> String? {
        var resolved: [UInt8] = []
        let asked = request(target, method: .post, host: host)
        guard
            let count = Invalidation.resolve(
                bytes(reference).span, for: asked, isSecure: isSecure, into: &resolved)
        else { return nil }
        let whole = text(resolved)
        return "\(whole.prefix(count)) \(whole.dropFirst(count))"
    }

    /// Case, reference, path and query; `nil`: of another origin, or malformed.
    static let cases: [(String, String, String?)] = [
        ("9111-4.4-absolute", "http://example.com/x?y=2", "/x ?y=2"),
        ("9111-4.4-host-case", "HTTP://EXAMPLE.COM/x", "/x "),
        ("9111-4.4-default-port", "http://example.com:80/x", "/x "),
        ("9111-4.4-empty-port", "http://example.com:/x", "/x "),
        ("9111-4.4-other-host", "http://evil.example/x", nil),
        ("9111-4.4-sub-host", "http://www.example.com/x", nil),
        ("9111-4.4-other-port", "http://example.com:81/x", nil),
        ("9111-4.4-other-scheme", "https://example.com/x", nil),
        ("9111-4.4-unknown-scheme", "ftp://example.com/x", nil),
        ("9111-4.4-userinfo", "http://a@example.com/x", nil),
        ("9111-4.4-scheme-without-host", "http:/x", nil),
        ("9111-4.4-scheme-relative", "//example.com/x", "/x "),
        ("9111-4.4-scheme-relative-other", "//evil.example/x", nil),
        ("9111-4.4-no-path", "http://example.com", "/ "),
        ("9111-4.4-no-path-query", "http://example.com?y", "/ ?y"),
        ("9111-4.4-absolute-path", "/x/./y/../%7Ez", "/x/~z "),
        ("9111-4.4-relative-path", "c?z", "/a/c ?z"),
        ("9111-4.4-dot-segments", "../c/./d", "/c/d "),
        ("9111-4.4-above-root", "../../../c", nil),
        ("9111-4.4-query", "?z=3", "/a/b ?z=3"),
        ("9111-4.4-fragment", "/x#y?z", "/x "),
        ("9111-4.4-only-fragment", "#y", "/a/b ?q=1"),
        ("9111-4.4-empty", "", "/a/b ?q=1"),
        ("9111-4.4-colon-in-segment", "./c:d", "/a/c:d "),
        ("9111-4.4-colon-in-path", "/c:d", "/c:d "),
        ("9111-4.4-malformed", "/x%2", nil),
        ("9111-4.4-space", "/x y", nil),
    ]

    @Test(arguments: cases)
    func `references are resolved, and only those of the same origin count`(
        row: (String, String, String?)
    ) {
        #expect(resolve(row.1) == row.2, "\(row.0)")
    }

    @Test func `the origin is that which the client sees`() {
        #expect(resolve("https://example.com:443/x", isSecure: true) == "/x ")
        #expect(resolve("http://example.com/x", isSecure: true) == nil)
        #expect(resolve("http://example.com:8080/x", host: "example.com:8080") == "/x ")
        #expect(resolve("http://example.com/x", host: "example.com:8080") == nil)
        #expect(resolve("http:///x", host: "") == nil)
        #expect(resolve("c", "/b") == "/c ")
    }

    @Test func `random references are resolved or refused, and never stop the process`() {
        var random = SeededRandom(seed: 44)
        let parts = [
            "http:", "//", "example.com", "/", "..", ".", "a", "?", "#", ":", "%", "41", "@", ":80",
        ]
        for _ in 0..<5_000 {
            let reference = (0..<random.below(9)).map { _ in parts[random.below(parts.count)] }
                .joined()
            guard let found = resolve(reference) else { continue }
            #expect(found.hasPrefix("/"), "\(reference)")
        }
    }
}
