import Caching
import HTTPModel
import Primitives
import Testing

@Suite struct CompressionPolicyTests {
    @Test(arguments: [
        ("text/*", "text/html", true), ("text/*", "TEXT/Plain; charset=utf-8", true),
        ("text/*", "textual/html", false), ("text/*", "text/", false), ("text/*", "text", false),
        ("application/json", "application/json;charset=utf-8", true),
        ("application/json", "application/json5", false),
        ("application/*+json", "application/problem+json", true),
        ("application/*+json", "application/+json", false),
        ("application/*+json", "application/json", false),
        ("application/*+json", "image/x+json", false),
        ("APPLICATION/JSON", "application/json", true),
    ])
    func `a pattern matches media types`(pattern: String, type: String, isMatch: Bool) throws {
        let found = try #require(MediaTypePattern(pattern)).matches(bytes(type).span)
        #expect(found == isMatch)
    }

    @Test(arguments: [
        "", "text", "text/", "/html", "*/*", "*", "te*t/html", "text/h*", "text/*html", "a/b/c",
        "text/html; charset=utf-8", "text /html", "application/*+", "application/**",
    ])
    func `what is no pattern is refused`(text: String) {
        #expect(MediaTypePattern(text) == nil)
    }

    static let json = ("Content-Type", "application/json")
    static let fresh = ("Cache-Control", "max-age=60")

    private func head(
        _ list: [(String, String)], _ status: Status = 200, framing: BodyFraming = .length(5000),
        asked: [(String, String)] = []
    ) -> CachedHead {
        let ask = request("/", asked)
        let answer = response(status, list, framing: framing)
        let policy = CompressionPolicy()
        guard
            case .store(let lifetime) = StoreDecision.decide(
                request: ask, response: answer, policy: CachePolicy(), times: times())
        else { return CachedHead(passing: answer, times: times()) }
        return CachedHead(
            key: key(ask), request: ask, response: answer, lifetime: lifetime, times: times(),
            compression: policy)
    }

    @Test func `text of some length may be encoded, and says that it varies`() {
        let head = head([Self.json, Self.fresh])
        #expect(head.isEncodable)
        #expect(text(head.bytes).contains("\r\nVary: Accept-Encoding\r\n"))
        #expect(head.variant == .none)
    }

    @Test(
        arguments: [
            ("too short", [json, fresh], 200, BodyFraming.length(1023)),
            ("empty", [json, fresh], 200, .none),
            ("no type", [fresh], 200, .length(5000)),
            ("another type", [("Content-Type", "image/png"), fresh], 200, .length(5000)),
            ("coded already", [json, fresh, ("Content-Encoding", "gzip")], 200, .length(5000)),
            ("no-transform", [json, ("Cache-Control", "max-age=60, no-transform")], 200, .chunked),
            ("a part", [json, fresh, ("Content-Range", "bytes 0-4/5")], 200, .length(5000)),
            ("no body", [json, fresh], 204, .none),
            ("a stream", [("Content-Type", "text/event-stream"), fresh], 200, .chunked),
        ] as [(String, [(String, String)], UInt16, BodyFraming)])
    func `other answers stay as they are`(
        what: String, list: [(String, String)], status: UInt16, framing: BodyFraming
    ) {
        let head = head(list, Status(integerLiteral: status), framing: framing)
        #expect(!head.isEncodable)
        #expect(!text(head.bytes).contains("Vary"), "\(what)")
    }

    @Test func `an error that is stored may be encoded too`() {
        #expect(head([Self.json, Self.fresh], 404).isEncodable)
    }

    @Test func `the client's codings are no variants, but other fields are`() {
        let asked = [("Accept-Encoding", "gzip"), ("Accept-Language", "de")]
        let one = head([Self.json, Self.fresh, ("Vary", "Accept-Encoding")], asked: asked)
        #expect(one.variant == .none)
        #expect(text(one.bytes).components("Accept-Encoding") == 1)
        let two = head(
            [Self.json, Self.fresh, ("Vary", "Accept-Language, accept-encoding")], asked: asked)
        #expect(text(two.variant.names) == "accept-language\n")
        #expect(text(two.bytes).components("ccept-") == 2)
        let three = head([Self.json, Self.fresh, ("Vary", "Accept-Language")], asked: asked)
        #expect(text(three.bytes).contains("Vary: Accept-Language\r\n"))
        #expect(text(three.bytes).contains("Vary: Accept-Encoding\r\n"))
    }

    @Test func `an answer that came coded although none was asked for is only for its like`() {
        let head = head(
            [Self.json, Self.fresh, ("Content-Encoding", "br"), ("Vary", "Accept-Encoding")],
            asked: [("Accept-Encoding", "br")])
        #expect(text(head.variant.names) == "accept-encoding\n")
    }

    @Test(
        arguments: [
            ([("Accept-Encoding", "gzip, br")], "br"), ([], "-"),
            ([("Accept-Encoding", "gzip, br"), ("Range", "bytes=0-1")], "-"),
            ([("Accept-Encoding", "gzip"), ("Cache-Control", "no-transform")], "-"),
            ([("Accept-Encoding", "gzip"), ("Cache-Control", "no-cache")], "gzip"),
        ] as [([(String, String)], String)])
    func `a request selects a coding, or the answer as it is`(
        list: [(String, String)], expected: String
    ) {
        let coding = CacheRules(CachePolicy(), compression: CompressionPolicy())
            .coding(for: fields(list))
        #expect((coding.map { "\($0.name)" } ?? "-") == expected)
        #expect(CacheRules(CachePolicy()).coding(for: fields(list)) == nil)
    }
}

extension String {
    /// How often `part` stands in it.
    fileprivate func components(_ part: String) -> Int {
        var count = 0
        var rest = self[...]
        while let found = rest.firstRange(of: part) {
            count += 1
            rest = rest[found.upperBound...]
        }
        return count
    }
}
