import Caching
import HTTPModel
import Primitives
import Testing

@Suite struct CacheTagsTests {
    private func list(_ list: [(String, String)]) -> [String] { words(CacheTags(of: fields(list))) }

    private func words(_ tags: CacheTags) -> [String] {
        var words: [String] = []
        tags.forEach { words.append("\($0) \($1.text)") }
        return words
    }

    @Test func `each field has its own separators`() {
        #expect(
            list([("Surrogate-Key", "a b,c  d")]) == [
                "surrogateKey a", "surrogateKey b,c", "surrogateKey d",
            ])
        #expect(
            list([("Cache-Tag", "a b, c ,,d")]) == ["cacheTag a b", "cacheTag c", "cacheTag d"])
        #expect(
            list([("xkey", "a, b c"), ("XKEY", "d")]) == ["xkey a", "xkey b", "xkey c", "xkey d"])
        #expect(list([("Surrogate-Key", " "), ("Cache-Tag", ",")]) == [])
        #expect(list([("Surrogate-Key", "a a A")]) == ["surrogateKey a", "surrogateKey A"])
    }

    @Test(arguments: [
        ("9875-2-list", [#""a", "b c""#], ["a", "b c"]),
        ("9875-2-lines", [#""a""#, #""b""#], ["a", "b"]),
        ("9875-2-case", [#""A", "a""#], ["A", "a"]),
        ("9875-2-escapes", [#""a\"b\\c""#], [#"a"b\c"#]),
        ("9875-2-parameters", [#""a";x=1;y="z;,";w, "b";v=?1"#], ["a", "b"]),
        ("9875-2-token", [#""a", b"#], []),
        ("9875-2-trailing-comma", [#""a","#], []),
        ("9875-2-unclosed", [#""a"#], []),
        ("9875-2-control", ["\"a\tb\""], []),
        ("9875-2-escape-other", [#""a\n""#], []),
        ("9875-2-empty", [""], []),
    ])
    func `groups are a list of strings, and a malformed one counts as absent`(
        id: String, lines: [String], expected: [String]
    ) {
        #expect(list(lines.map { ("Cache-Groups", $0) }) == expected.map { "group \($0)" }, "\(id)")
    }

    @Test func `9875-2-bounds: more than 32 groups of more than 32 characters are kept`() {
        let groups = (0..<64).map { "\"\(String(repeating: "g", count: 62))\($0 + 10)\"" }
        let tags = CacheTags(of: fields([("Cache-Groups", groups.joined(separator: ", "))]))
        #expect(tags.count == 64)
        #expect(tags.isWhole)
    }

    @Test func `beyond a bound the list says that it is not whole`() {
        let many = (0...CacheBounds.tagsPerEntry).map { "t\($0)" }.joined(separator: " ")
        let tags = CacheTags(of: fields([("Surrogate-Key", many)]))
        #expect(tags.count == CacheBounds.tagsPerEntry)
        #expect(!tags.isWhole)
        let long = String(repeating: "t", count: CacheBounds.tagBytes)
        #expect(CacheTags(of: fields([("Surrogate-Key", long)])).isWhole)
        #expect(!CacheTags(of: fields([("Surrogate-Key", long + "t")])).isWhole)
    }

    @Test func `a 304 replaces the tags of the fields it has, and no others`() throws {
        let old = StoredResponse(
            head: cachedHead(
                request(),
                response(
                    200,
                    [
                        ("Cache-Control", "max-age=9"), ("ETag", "\"a\""), ("Surrogate-Key", "a b"),
                        ("Cache-Groups", "\"g\""),
                    ])), body: [])
        #expect(words(old.head.tags) == ["surrogateKey a", "surrogateKey b", "group g"])
        let new = try #require(
            old.freshened(
                by: response(304, [("Surrogate-Key", "c"), ("Cache-Control", "max-age=9")]),
                request: request(), policy: CachePolicy(), times: times(5)))
        #expect(words(new.head.tags) == ["group g", "surrogateKey c"])
        // The fields of tags end here, those of groups are for other caches too.
        #expect(!text(new.head.bytes).lowercased().contains("surrogate-key"))
        #expect(text(new.head.bytes).contains("Cache-Groups: \"g\"\r\n"))
    }
}
