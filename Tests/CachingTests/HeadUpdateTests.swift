import Caching
import HTTPModel
import Primitives
import Testing

/// What a HEAD says of a stored GET (RFC 9111 §4.3.5).
@Suite struct HeadUpdateTests {
    private static let fields = [
        ("Cache-Control", "max-age=10"), ("ETag", "\"a\""), ("Last-Modified", date(-99)),
        ("X-Old", "1"),
    ]

    /// Case, status, fields of the answer to HEAD, outcome.
    static let cases: [(String, Status, [(String, String)], HeadUpdate)] = [
        ("9111-4.3.5-bare", 200, [], .freshens),
        ("9111-4.3.5-same-tag", 200, [("ETag", "\"a\"")], .freshens),
        ("9111-4.3.5-other-tag", 200, [("ETag", "\"b\"")], .makesStale),
        ("9111-4.3.5-weak-tag", 200, [("ETag", "W/\"a\"")], .makesStale),
        ("9111-4.3.5-same-date", 200, [("Last-Modified", date(-99))], .freshens),
        ("9111-4.3.5-other-date", 200, [("Last-Modified", date(-9))], .makesStale),
        (
            "9111-4.3.5-tag-but-not-date", 200,
            [("ETag", "\"a\""), ("Last-Modified", date(-9))], .makesStale
        ),
        ("9111-4.3.5-same-length", 200, [("Content-Length", "5")], .freshens),
        ("9111-4.3.5-other-length", 200, [("Content-Length", "6")], .makesStale),
        (
            "9111-4.3.5-tag-but-not-length", 200, [("ETag", "\"a\""), ("Content-Length", "6")],
            .makesStale
        ),
        ("9111-4.3.5-not-200", 404, [("ETag", "\"b\"")], .saysNothing),
        ("9111-4.3.5-304", 304, [("ETag", "\"b\"")], .saysNothing),
    ]

    @Test(arguments: cases)
    func `validators and length must agree`(
        row: (String, Status, [(String, String)], HeadUpdate)
    ) {
        let entry = stored(request(), Self.fields)
        let outcome = HeadUpdate.of(response(row.1, row.2), for: entry, requested: at(1))
        #expect(outcome == row.3, "\(row.0)")
    }

    @Test func `9111-4.3.5-validator-not-stored: a validator that is new makes stale`() {
        let entry = stored(request())
        let answer = response(200, [("ETag", "\"a\"")])
        #expect(HeadUpdate.of(answer, for: entry, requested: at(1)) == .makesStale)
    }

    @Test func `an answer that was asked for before the stored one says nothing`() {
        let entry = stored(request(), times: times(5))
        let answer = response(200, [("ETag", "\"b\"")])
        #expect(HeadUpdate.of(answer, for: entry, requested: at(4)) == .saysNothing)
    }

    private func apply(
        _ store: MemoryStore, _ list: [(String, String)], to asked: RequestHead = request()
    ) {
        let key = key(asked)
        store.apply(
            response(200, list), key: key.span, request: asked, rules: CacheRules(CachePolicy()),
            times: times(100))
    }

    @Test func `a stored answer is freshened, with its body`() throws {
        let store = MemoryStore(bytes: 1 << 20, seed: .init(1, 2))
        store.insert(stored(request(), Self.fields))
        apply(store, [("Cache-Control", "max-age=50"), ("X-New", "2"), ("Content-Length", "5")])
        let entry = try #require(find(store, request()))
        #expect(entry.freshness(at: at(101)) == .fresh(ttl: .seconds(49)))
        #expect(body(entry) == "hello")
        let head = text(entry.head.bytes)
        for line in ["X-Old: 1", "X-New: 2", "ETag: \"a\"", "Content-Length: 5"] {
            #expect(head.contains("\r\n\(line)\r\n"), "\(line)")
        }
        #expect(store.statistics().entries == 1)
        #expect(store.statistics().bytes == entry.byteCost)
    }

    @Test func `a stored answer of another representation leaves, other variants stay`() {
        let store = MemoryStore(bytes: 1 << 20, seed: .init(1, 2))
        let german = request("/", [("Accept-Language", "de")])
        let english = request("/", [("Accept-Language", "en")])
        let vary = [("Vary", "accept-language")]
        store.insert(stored(german, Self.fields + vary))
        store.insert(stored(english, Self.fields + vary))
        apply(store, [("ETag", "\"b\"")], to: german)
        #expect(find(store, german) == nil)
        #expect(find(store, english) != nil)
    }

    @Test func `an answer that may no longer be stored leaves`() {
        let store = MemoryStore(bytes: 1 << 20, seed: .init(1, 2))
        store.insert(stored(request(), Self.fields))
        apply(store, [("Cache-Control", "no-store")])
        #expect(find(store, request()) == nil)
        #expect(store.statistics().bytes == 0)
    }

    @Test func `a HEAD with credentials does not touch what is not for everybody`() throws {
        let store = MemoryStore(bytes: 1 << 20, seed: .init(1, 2))
        store.insert(stored(request(), Self.fields))
        apply(store, [("ETag", "\"b\"")], to: request("/", [("Authorization", "x")]))
        #expect(find(store, request()) != nil)
    }
}
