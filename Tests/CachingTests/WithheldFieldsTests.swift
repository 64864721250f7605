import Caching
import HTTPModel
import Primitives
import Testing

/// `no-cache` and `private` with a list of fields (RFC 9111 §5.2.2.4, §5.2.2.7).
@Suite struct WithheldFieldsTests {
    /// The fields that are stored beside Cache-Control, those for the first client alone behind a `|`;
    /// or why nothing is stored.
    private func stored(_ control: [String], _ rest: [(String, String)]) -> String {
        let head = response(200, control.map { ("Cache-Control", $0) } + rest)
        let decision = StoreDecision.decide(
            request: request(), response: head, policy: CachePolicy(), times: times())
        guard case .store(let lifetime) = decision else {
            guard case .refuse(let reason) = decision else { return "" }
            return "\(reason.name)"
        }
        if lifetime.mustValidate { return "validate" }
        let cached = CachedHead(
            key: [], request: request(), response: head, lifetime: lifetime, times: times())
        func names(_ lines: [UInt8]) -> String {
            text(lines).split(separator: "\r\n").compactMap { line in
                let name = line.prefix { $0 != ":" }
                return name.hasPrefix("HTTP") || name == "Cache-Control" || name == "Date"
                    ? nil : String(name)
            }.joined(separator: ",")
        }
        return names(cached.bytes) + "|" + names(cached.personal)
    }

    static let cases: [(String, [String], String)] = [
        ("9111-5.2.2.7-qualified", ["private=\"x-user\", max-age=9"], "X-Other|X-User"),
        ("9111-5.2.2.4-qualified", ["no-cache=\"x-user\", max-age=9"], "X-Other|X-User"),
        (
            "9111-5.2.2.7-case-and-spaces", ["Private=\" X-USER ,, x-other\", max-age=9"],
            "|X-User,X-Other"
        ),
        ("9111-5.2.2.7-token", ["private=x-user, max-age=9"], "X-Other|X-User"),
        (
            "9111-5.2.2.7-lines", ["private=\"x-user\"", "max-age=9, no-cache=\"x-other\""],
            "|X-User,X-Other"
        ),
        ("9111-5.2.2.7-absent-field", ["private=\"x-none\", max-age=9"], "X-User,X-Other|"),
        ("9111-5.2.2.7-both-forms", ["private=\"x-user\", private, max-age=9"], "private"),
        ("9111-5.2.2.7-empty", ["private=\"\", max-age=9"], "private"),
        ("9111-5.2.2.7-only-commas", ["private=\" , \", max-age=9"], "private"),
        ("9111-5.2.2.7-no-names", ["private=\"x user\", max-age=9"], "private"),
        ("9111-5.2.2.7-open-quote", ["max-age=9, private=\"x-user"], "private"),
        ("9111-5.2.2.7-needed-field", ["private=\"x-user, vary\", max-age=9"], "private"),
        ("9111-5.2.2.4-empty", ["no-cache=\"\", max-age=9"], "no-freshness"),
    ]

    @Test(arguments: cases)
    func `the rest is stored without the fields of the list`(row: (String, [String], String)) {
        #expect(stored(row.1, [("X-User", "u"), ("X-Other", "o")]) == row.2, "\(row.0)")
    }

    @Test func `cookies that the origin withholds do not stand against storing`() {
        let cookie = [("Set-Cookie", "a=b")]
        #expect(stored(["max-age=9"], cookie) == "set-cookie")
        #expect(stored(["max-age=9, private=\"x-user\""], cookie) == "set-cookie")
        #expect(stored(["max-age=9, private=\"set-cookie\""], cookie) == "|Set-Cookie")
        #expect(stored(["max-age=9, no-cache=\"Set-Cookie\""], cookie) == "|Set-Cookie")
    }

    @Test func `what was for the first client is gone once the answer is stored`() throws {
        let store = MemoryStore(bytes: 1 << 20, seed: .init(1, 2))
        let asked = request()
        var random = SeededRandom(seed: 1)
        let key = key(asked)
        guard
            case .lead(let lead) = store.lookupOrJoin(
                key: key.span, request: asked, rules: CacheRules(CachePolicy()), now: at(0),
                random: &random)
        else {
            Issue.record("no lead")
            return
        }
        let head = cachedHead(
            asked,
            response(
                200, [("Cache-Control", "max-age=9, private=\"x-user\""), ("X-User", "u")],
                framing: .length(0)))
        #expect(!head.personal.isEmpty)
        lead.fill.publish(head)
        let entry = try #require(lead.fill.finish(at: at(0)))
        #expect(entry.head.personal.isEmpty)
        #expect(!text(entry.head.bytes).contains("X-User"))
    }
}
