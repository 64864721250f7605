import Caching
import HTTPModel
import Primitives
import Testing

@Suite struct EncodedVariantTests {
    private let policy = CompressionPolicy()
    private let size = 4000

    private func stored(
        _ target: String = "/a", _ list: [(String, String)] = [], at now: Double = 0
    ) -> StoredResponse {
        let ask = request(target)
        let all =
            [("Content-Type", "text/plain"), ("ETag", "\"v1\""), ("Cache-Control", "max-age=60")]
            + list
        let head = CachedHead(
            key: key(ask), request: ask,
            response: response(200, all, framing: .length(UInt64(size))),
            lifetime: lifetime(all), times: times(now), compression: policy)
        return StoredResponse(head: head, body: [[UInt8](repeating: 97, count: size)])
    }

    private func lifetime(_ list: [(String, String)]) -> Lifetime {
        guard
            case .store(let lifetime) = StoreDecision.decide(
                request: request(), response: response(200, list), policy: CachePolicy(),
                times: times())
        else { preconditionFailure("it may be stored") }
        return lifetime
    }

    private func variant(
        _ coding: ContentCoding, of stored: StoredResponse, count: Int = 100
    ) -> EncodedVariant {
        EncodedVariant(coding, of: stored.head, body: [[UInt8](repeating: 1, count: count)])
    }

    @Test func `the head is the stored one but for what the coding changes`() {
        let stored = stored(
            "/a",
            [
                ("Accept-Ranges", "bytes"), ("Content-MD5", "x"), ("X-Kept", "yes"),
                ("Repr-Digest", "sha-256=:x:"), ("Content-Digest", "sha-256=:x:"),
            ])
        let head = text(variant(.gzip, of: stored).head)
        let lines = head.split(separator: "\r\n").map(String.init)
        #expect(lines.first == "HTTP/1.1 200 OK")
        #expect(lines.contains("ETag: W/\"v1\""))
        #expect(lines.contains("X-Kept: yes"))
        #expect(lines.contains("Vary: Accept-Encoding"))
        #expect(lines.suffix(2) == ["Content-Encoding: gzip", "Content-Length: 100"])
        #expect(lines.filter { $0.hasPrefix("Content-Length") }.count == 1)
        #expect(!head.contains("Accept-Ranges") && !head.contains("-MD5"))
        #expect(!head.contains("Digest"))
        #expect(head.hasSuffix("\r\n") && !head.hasSuffix("\r\n\r\n"))
        // The answer as it is keeps its strong tag.
        #expect(text(stored.head.bytes).contains("ETag: \"v1\"\r\n"))
    }

    @Test func `a weak tag stays one, and none stays none`() {
        let ask = request()
        for (list, line) in [([("ETag", "W/\"v\"")], "\r\nETag: W/\"v\"\r\n"), ([], nil)]
            as [([(String, String)], String?)]
        {
            let head = CachedHead(
                key: key(ask), request: ask,
                response: response(
                    200, list + [("Content-Type", "text/css"), ("Cache-Control", "max-age=1")]),
                lifetime: lifetime([("Cache-Control", "max-age=1")]), times: times(),
                compression: policy)
            let coded = text(EncodedVariant(.br, of: head, body: [[1]]).head)
            if let line { #expect(coded.contains(line)) } else { #expect(!coded.contains("ETag")) }
        }
    }

    @Test func `a 304 for a coded answer has its weak tag`() {
        let head = stored().head
        let weak = written { head.appendNotModified(to: $0, weakening: true) }
        #expect(weak.contains("ETag: W/\"v1\"\r\n") && weak.contains("Vary: Accept-Encoding\r\n"))
        #expect(!weak.contains("Content-"))
        #expect(written { head.appendNotModified(to: $0) }.contains("ETag: \"v1\"\r\n"))
    }

    @Test func `one asks first, and the others do not make it again`() {
        let stored = stored()
        #expect(stored.variant(in: .br) == nil)
        #expect(stored.claim(.br))
        #expect(!stored.claim(.br))
        #expect(stored.claim(.gzip))
        stored.disclaim(.br)
        #expect(stored.claim(.br) && !stored.claim(.gzip))
    }

    @Test func `a variant is counted, found with its answer and leaves with it`() {
        let store = MemoryStore(bytes: 1 << 20, seed: .init(1, 2))
        let stored = stored()
        #expect(store.insert(stored))
        let before = store.statistics().bytes
        #expect(before == stored.byteCost)
        let br = variant(.br, of: stored, count: 1000)
        #expect(store.attach(br, to: stored, at: start))
        #expect(store.attach(variant(.gzip, of: stored), to: stored, at: start))
        #expect(find(store, request("/a"))?.variant(in: .br) === br)
        #expect(
            store.statistics().bytes
                == before + br.byteCost + (stored.variant(in: .gzip)?.byteCost ?? 0))
        remove(store, request("/a"))
        #expect(store.statistics().bytes == 0)
        #expect(!store.attach(br, to: stored, at: start))
        #expect(store.statistics().bytes == 0)
    }

    @Test func `an answer that takes another's place does not inherit its variants`() {
        let store = MemoryStore(bytes: 1 << 20, seed: .init(1, 2))
        let (old, new) = (stored(), stored(at: 5))
        store.insert(old)
        store.attach(variant(.br, of: old), to: old, at: start)
        store.insert(new)
        #expect(find(store, request("/a"))?.variant(in: .br) == nil)
        #expect(store.statistics().bytes == new.byteCost)
        // What was being made for the old one is not kept.
        #expect(!store.attach(variant(.gzip, of: old), to: old, at: start))
        #expect(store.statistics().bytes == new.byteCost)
    }

    @Test func `variants make room by driving others out, and never exceed the budget`() {
        let store = MemoryStore(bytes: 1 << 20, seed: .init(1, 2))
        for number in 0..<400 {
            let stored = stored("/\(number)")
            store.insert(stored)
            store.attach(variant(.br, of: stored, count: 2000), to: stored, at: start)
            #expect(store.statistics().bytes <= 1 << 20)
        }
        #expect(store.statistics().evictions > 0)
        for number in 0..<400 { remove(store, request("/\(number)")) }
        #expect(store.statistics().bytes == 0)
    }

    @Test func `a variant that would make its answer too large is not kept`() {
        let store = MemoryStore(bytes: 1 << 20, seed: .init(1, 2))
        let stored = stored()
        store.insert(stored)
        #expect(!store.attach(variant(.br, of: stored, count: 600_000), to: stored, at: start))
        #expect(stored.variant(in: .br) == nil)
        #expect(store.statistics().bytes == stored.byteCost)
    }

    @Test func `a validated answer keeps what was made of its body, under its new head`() throws {
        let store = MemoryStore(bytes: 1 << 20, seed: .init(1, 2))
        let old = stored()
        store.insert(old)
        store.attach(variant(.br, of: old), to: old, at: start)
        let fresh = try #require(
            old.freshened(
                by: response(304, [("X-New", "1")]), request: request("/a"),
                policy: CachePolicy(), times: times(9), compression: policy))
        let br = try #require(fresh.variant(in: .br))
        #expect(br.body == [[UInt8](repeating: 1, count: 100)])
        #expect(text(br.head).contains("X-New: 1\r\n"))
        #expect(text(br.head).contains("ETag: W/\"v1\"\r\n"))
        #expect(!fresh.claim(.br) && fresh.claim(.gzip))
        store.insert(fresh)
        #expect(store.statistics().bytes == fresh.byteCost + br.byteCost)
        remove(store, request("/a"))
        #expect(store.statistics().bytes == 0)
    }

    @Test func `an origin that forbids changes in its 304 ends the encoding`() throws {
        let old = stored()
        let fresh = try #require(
            old.freshened(
                by: response(304, [("Cache-Control", "max-age=60, no-transform")]),
                request: request("/a"), policy: CachePolicy(), times: times(9),
                compression: policy))
        #expect(!fresh.head.isEncodable)
    }

    @Test func `coding that gains nothing is remembered as such`() {
        let stored = stored()
        let useless = EncodedVariant(.br, of: stored.head, body: [])
        #expect(!useless.isUseful && useless.bodyCount == 0)
        #expect(variant(.br, of: stored).isUseful)
    }
}
