import Primitives
import Testing

@testable import Caching

@Suite struct PurgePatternTests {
    private func matches(_ pattern: String, _ url: String, isGlob: Bool = true) throws -> Bool {
        let key = bytes("{GET}:\(url)|https|user=/x")
        let place = CacheKey.place(in: key.span)
        let pattern = try #require(PurgePattern(bytes(pattern), isGlob: isGlob))
        return pattern.matches(
            host: key.span.extracting(place.host), target: key.span.extracting(place.target))
    }

    @Test(arguments: [
        ("/a/*", "h:/a/b", true), ("/a/*", "h:/a/b/c", false), ("/a/*", "h:/a/", true),
        ("/a/**", "h:/a/b/c", true), ("/a/**", "h:/ab", false), ("/**", "h:/", true),
        ("/**/c", "h:/a/b/c", true), ("/*/c", "h:/a/b/c", false), ("/a", "h:/a", true),
        ("/a", "h:/a?x=1", true), ("/a?x=*", "h:/a?x=1", true), ("/a?x=*", "h:/a?y=1", false),
        ("/a?**", "h:/a", false), ("h/a", "h:/a", true), ("g/a", "h:/a", false),
        ("h/a", "h:8080:/a", true), ("h:8080/a", "h:8080:/a", true), ("h:80/a", "h:8080:/a", false),
        ("H/a", "h:/a", true), ("*.example.com/**", "api.example.com:/x", true),
        ("*.example.com/**", "example.com:/x", false), ("[::1]/a", "[::1]:8080:/a", true),
        ("[::1]:8080/a", "[::1]:8080:/a", true), ("[::1]:8081/a", "[::1]:8080:/a", false),
        ("/a|b", "h:/a||b", true), ("/a*c/**/d", "h:/abc/x/y/d", true),
    ])
    func `globs`(pattern: String, url: String, expected: Bool) throws {
        #expect(try matches(pattern, url) == expected)
    }

    @Test(arguments: [
        ("/a", "h:/a/b", true), ("/a/", "h:/a", false), ("/a?x", "h:/a?x=1", true),
        ("h/a", "h:/ab", true), ("h/a", "i:/ab", false), ("/*", "h:/ab", false),
        ("/a", "h:/", false),
    ])
    func `prefixes have no wildcards`(pattern: String, url: String, expected: Bool) throws {
        #expect(try matches(pattern, url, isGlob: false) == expected)
    }

    @Test func `a pattern without a path is none`() {
        #expect(PurgePattern(bytes("example.com"), isGlob: true) == nil)
    }

    /// Every way to match, tried one after the other.
    private func slowly(_ pattern: ArraySlice<Character>, _ text: ArraySlice<Character>) -> Bool {
        guard let first = pattern.first else { return text.isEmpty }
        let rest = pattern.dropFirst()
        guard first == "*" || first == "D" else {
            return text.first == first && slowly(rest, text.dropFirst())
        }
        var left = text
        while true {
            if slowly(rest, left) { return true }
            guard let next = left.popFirst(), first == "D" || next != "/" else { return false }
        }
    }

    @Test(arguments: 0..<20)
    func `going back to the last wildcard finds what trying everything finds`(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        for _ in 0..<500 {
            let pattern = (0..<random.below(8)).map { _ in Array("ab/*D")[random.below(5)] }
            let text = (0..<random.below(10)).map { _ in Array("aab/")[random.below(4)] }
            let written = String(pattern).replacing("D", with: "**")
            // Three stars are `**` and then `*`.
            let slow = written.replacing("**", with: "D")
            let fast = try matches("/" + written, "h:/" + String(text))
            #expect(
                fast == slowly(Array(slow)[...], text[...]), "\(written) \(String(text))")
        }
    }

    @Test func `a comparison without end counts as a match`() throws {
        let path = String(repeating: "a", count: 4000)
        #expect(try matches("/**a*b*c", "h:/" + path))
        #expect(try !matches("/**b", "h:/" + path))
    }
}
