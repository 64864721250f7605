import Caching
import HTTPModel
import Primitives
import Testing

/// Which stored answers the origin is asked about, and which one its 304 means (RFC 9111 §4.3).
@Suite struct ValidationTests {
    /// A stored answer for `X-Var: variant` with these fields, `offset` seconds old.
    private func variant(
        _ variant: String, _ list: [(String, String)], dated offset: Int64 = 0,
        _ more: [(String, String)] = []
    ) -> StoredResponse {
        stored(
            request("/", [("X-Var", variant)] + more),
            [("Cache-Control", "max-age=1"), ("Vary", "X-Var"), ("Date", date(offset))] + list,
            body: variant)
    }

    private struct Row: Sendable, CustomTestStringConvertible {
        let id: String
        let stored: [(String, String)]?
        let others: [[(String, String)]]
        let answer: [(String, String)]
        /// The stored answer's name: `s`, or `0`, `1` …; empty: none.
        let expected: String
        var testDescription: String { id }

        init(
            _ id: String, _ stored: [(String, String)]?, _ others: [[(String, String)]],
            _ answer: [(String, String)], _ expected: String
        ) {
            self.id = id
            self.stored = stored
            self.others = others
            self.answer = answer
            self.expected = expected
        }
    }

    private static let tagA = ("ETag", "\"a\"")
    private static let tagB = ("ETag", "\"b\"")
    private static let weakA = ("ETag", "W/\"a\"")
    private static let old = ("Last-Modified", date(-500))
    private static let new = ("Last-Modified", date(-100))

    private static let rows = [
        Row("9111-4.3.4-strong-selected", [tagA], [[tagB]], [tagA], "s"),
        Row("9111-4.3.4-strong-other", [tagA], [[tagB]], [tagB], "0"),
        Row("9111-4.3.4-strong-none", [tagA], [[tagB]], [("ETag", "\"c\"")], ""),
        Row("9111-4.3.4-strong-only", [tagA], [], [tagA], "s"),
        Row("9111-4.3.4-strong-not-only", [tagA], [], [tagB], ""),
        Row("9111-4.3.4-strong-without-selected", nil, [[tagA], [tagB]], [tagB], "1"),
        Row("9111-4.3.4-strong-newest", nil, [[tagA], [tagA]], [tagA], "1"),
        Row("9111-4.3.4-strong-is-no-weak-other", [weakA], [[tagB]], [tagA], ""),
        Row("9111-4.3.4-weak-selected", [weakA], [], [weakA], "s"),
        Row("9111-4.3.4-weak-for-strong", [tagA], [[tagB]], [weakA], "s"),
        Row("9111-4.3.4-weak-no-other", [tagB], [[tagA]], [weakA], ""),
        Row("9111-4.3.4-weakened-on-the-way", [weakA], [], [tagA], "s"),
        Row("9111-4.3.4-date", [old], [], [old], "s"),
        Row("9111-4.3.4-other-date", [old], [], [new], ""),
        Row("9111-4.3.4-date-beside-own-tag", [tagA, old], [], [new], "s"),
        Row("9111-4.3.4-date-among-several", [tagA, old], [[tagB]], [old], "s"),
        Row("9111-4.3.4-other-date-among-several", [tagA, old], [[tagB]], [new], ""),
        Row("9111-4.3.4-bare-only", [tagA], [], [], "s"),
        Row("9111-4.3.4-bare-without-validator", [], [], [], "s"),
        Row("9111-4.3.4-bare-among-several", [tagA], [[tagB]], [], ""),
        Row("9111-4.3.4-bare-without-selected", nil, [[tagA]], [], ""),
        Row("9111-4.3.4-tag-for-untagged", [old], [], [tagA], ""),
    ]

    @Test(arguments: rows) private func `a 304 means the answer with its validator`(row: Row) {
        let selected = row.stored.map { variant("s", $0) }
        let others = row.others.enumerated().map {
            variant("\($0.offset)", $0.element, dated: Int64($0.offset))
        }
        let found = Revalidation.subject(
            of: fields(row.answer), stored: selected, others: others)
        #expect(found.map(body) ?? "" == row.expected)
    }

    @Test func `9111-4.3.4-weakened-on-the-way: the weak tag stays`() throws {
        let new = try #require(
            variant("s", [Self.weakA]).freshened(
                by: response(304, [Self.tagA]), request: request(), policy: CachePolicy(),
                times: times(9)))
        #expect(text(new.head.bytes).contains("\r\nETag: W/\"a\"\r\n"))
    }

    // MARK: Through the store

    /// What the origin is asked by a request for `X-Var: asked` 10 seconds later.
    private func conditions(
        _ entries: [StoredResponse], _ asked: String, _ more: [(String, String)] = []
    ) -> (lines: String, lead: FillLead?) {
        let store = MemoryStore(bytes: 1 << 20, seed: .init(1, 2))
        for entry in entries { store.insert(entry) }
        return conditions(store, asked, more)
    }

    private func conditions(
        _ store: MemoryStore, _ asked: String, _ more: [(String, String)] = []
    ) -> (lines: String, lead: FillLead?) {
        var random = SeededRandom(seed: 1)
        let asks = request("/", [("X-Var", asked)] + more)
        let key = key(asks)
        guard
            case .lead(let lead) = store.lookupOrJoin(
                key: key.span, request: asks, rules: CacheRules(CachePolicy()), now: at(10),
                random: &random)
        else { return ("no lead", nil) }
        return (written { lead.fill.appendConditions(to: $0) }, lead)
    }

    @Test func `9111-4.3.1-variants: all strong tags of the key are named, the selected first`() {
        let all = [
            variant("a", [Self.tagA, Self.old]), variant("b", [Self.tagB]),
            variant("c", [("ETag", "W/\"c\"")]), variant("d", [Self.old]),
        ]
        #expect(conditions(all, "b").lines == "If-None-Match: \"b\", \"a\"\r\n")
        #expect(conditions(all, "e").lines.contains("\"a\""))
        #expect(!conditions(all, "e").lines.contains("W/"))
        #expect(conditions(all, "e").lead?.reason == .varyMiss)
        #expect(conditions(all, "d").lines == "If-Modified-Since: \(date(-500))\r\n")
        #expect(
            conditions([all[0]], "a").lines
                == "If-None-Match: \"a\"\r\nIf-Modified-Since: \(date(-500))\r\n")
        #expect(conditions([all[2]], "e").lines.isEmpty)
    }

    @Test func `a variant in a coding that the client does not take is not named`() {
        let coded = [variant("a", [Self.tagA, ("Content-Encoding", "br")])]
        #expect(conditions(coded, "b").lines.isEmpty)
        #expect(conditions(coded, "b", [("Accept-Encoding", "gzip;q=1, brx")]).lines.isEmpty)
        #expect(
            conditions(coded, "b", [("Accept-Encoding", "gzip, BR")]).lines
                == "If-None-Match: \"a\"\r\n")
    }

    @Test func `an answer that is not for everybody is not named for credentials`() {
        let entries = [variant("a", [Self.tagA])]
        #expect(conditions(entries, "b", [("Authorization", "x")]).lines.isEmpty)
    }

    @Test func `tags beyond the bound are not named`() {
        let long = String(repeating: "x", count: 3000)
        let entries = [
            variant("a", [("ETag", "\"\(long)1\"")]), variant("b", [("ETag", "\"\(long)2\"")]),
            variant("c", [Self.tagA]),
        ]
        let lines = conditions(entries, "d").lines
        #expect(lines.utf8.count < 3100)
        #expect(lines.contains("\"a\""))
    }

    @Test func `9111-4.3.3: a 304 that names another variant gives its body to this request`()
        throws
    {
        let store = MemoryStore(bytes: 1 << 20, seed: .init(1, 2))
        for entry in [variant("a", [Self.tagA]), variant("b", [Self.tagB])] { store.insert(entry) }
        let lead = try #require(conditions(store, "c").lead)
        let asks = request("/", [("X-Var", "c")])
        let new = try #require(
            lead.fill.confirmed(
                by: response(304, [Self.tagA, ("Cache-Control", "max-age=50")]), request: asks,
                policy: CachePolicy(), times: times(10)))
        lead.fill.complete(with: new)
        #expect(find(store, asks).map(body) == "a")
        #expect(find(store, asks)?.freshness(at: at(11)) == .fresh(ttl: .seconds(49)))
        // The variant itself was none that the request could select: it stays as it is.
        let other = try #require(find(store, request("/", [("X-Var", "a")])))
        #expect(other.freshness(at: at(11)) == .stale(by: .seconds(10)))
        #expect(find(store, request("/", [("X-Var", "b")])).map(body) == "b")
    }
}
