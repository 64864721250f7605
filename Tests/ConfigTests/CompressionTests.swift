import Caching
import Config
import HTTPModel
import Settings
import Testing

@Suite struct CompressionTests {
    private let cached = frame + "cache: 5m\n"

    @Test func `nothing is encoded unless the file says so`() throws {
        for text in [cached, cached + "compression: off\n"] {
            let loaded = try settings(text)
            #expect(loaded.compression == nil)
            #expect(loaded.routes.allSatisfy { !$0.compresses })
        }
    }

    @Test func `on stands for the usual policy, for all routes that cache`() throws {
        let loaded = try settings(cached + "compression: on\n")
        #expect(loaded.compression == CompressionPolicy())
        #expect(loaded.routes[0].compresses)
        let routes = try settings(
            frame + "compression: {}\nroutes: [{path: /a, cache: 1s}, {path: /b}]\n")
        #expect(routes.compression == CompressionPolicy())
        #expect(routes.routes.map(\.compresses) == [true, false])
    }

    @Test func `every part may be written`() throws {
        let policy = try #require(
            try settings(
                cached + """
                    compression:
                      encodings: [gzip, br]
                      min_size: 4KiB
                      types: [text/*, application/*+json]
                      level: {gzip: 9, br: 1}
                    """
            ).compression)
        #expect(policy.encodings == CodingOrder(.gzip, .br))
        #expect(policy.minSize == 4096)
        #expect(policy.types.map(\.text) == ["text/*", "application/*+json"])
        #expect(policy.gzipLevel == 9 && policy.brotliQuality == 1)
        let one = try #require(try settings(cached + "compression: {encodings: br}\n").compression)
        #expect(one.encodings == CodingOrder(.br))
    }

    @Test func `a route may be excepted`() throws {
        let loaded = try settings(
            cached + """
                compression: on
                routes:
                  - {path: /live, compression: off}
                  - {path: /orders, compression: on}
                  - {path: /plain, cache: off, compression: off}
                  - path: /**
                """)
        #expect(loaded.routes.map(\.compresses) == [false, true, false, true])
    }

    @Test(arguments: [
        (
            "compression: maybe\n",
            "4:14 compression: unknown choice `maybe`"
        ),
        ("compression: {encodings: []}\n", "expected at least one of `br` and `gzip`"),
        ("compression: {encodings: [gzip, gzip]}\n", "`gzip` stands twice"),
        ("compression: {encodings: [zstd]}\n", "unknown encoding `zstd`"),
        ("compression: {min_size: 0}\n", "expected a size from 1 to 1GiB"),
        ("compression: {types: []}\n", "expected at least one media type"),
        ("compression: {types: ['*/*']}\n", "expected a media type, or a pattern of them"),
        ("compression: {types: text/event-stream}\n", "an event stream is never stored"),
        ("compression: {level: 6}\n", "expected a mapping"),
        ("compression: {level: {gzip: 0}}\n", "expected a whole number from 1 to 9"),
        ("compression: {level: {br: 11}}\n", "expected a whole number from 0 to 9"),
        ("compression: {level: {zstd: 1}}\n", "unknown key `zstd`"),
        ("compression: {uncached: true}\n", "unknown key `uncached`"),
        (
            "compression: on\nroutes: [{path: /a, cache: off, compression: on}, {path: /b}]\n",
            "the route does not use the cache, and only stored answers are encoded"
        ),
        (
            "routes: [{path: /a, compression: on}]\n",
            "there is no `compression` at the top level to switch on"
        ),
        ("routes: [{path: /a, compression: {}}]\n", "expected one of `on`, `off`"),
    ])
    func `what cannot hold is refused, once`(text: String, message: String) {
        let found = messages(cached + text)
        #expect(found.count == 1, "\(found)")
        #expect(found.first?.contains(message) == true, "\(found)")
    }

    @Test func `without a cache there is nothing to encode`() {
        for text in ["compression: on\n", "compression: on\nroutes: [{path: /a}]\n"] {
            let found = messages(frame + text)
            #expect(found.count == 1)
            #expect(
                found.first?.contains("no route uses the cache, and only stored answers") == true)
        }
    }

    @Test func `a cache that is switched off for a while needs no other change`() throws {
        let loaded = try settings(
            frame + "cache: off\ncompression: on\n"
                + "routes: [{path: /a, cache: 1s, compression: on}]\n")
        #expect(!loaded.routes[0].compresses)
    }
}
