import Caching
import HTTPModel
import Settings

/// What the top-level `compression:` says.
struct ParsedCompression {
    /// The policy; `nil`: nothing is encoded.
    var policy: CompressionPolicy?
    /// Where it stands; `nil` when it is not there.
    var value: Value?
    /// Whether it was read without a fault.
    var isRight = true
}

/// Reads `compression:`, at the top and in routes.
extension Report {
    /// The top-level part: `off`, `on`, or a mapping.
    func compression(_ value: Value) -> ParsedCompression {
        let before = problems.count
        var parsed = ParsedCompression(value: value)
        if value.text != nil {
            if word(value, "choice", ["on", "off"]) == "on" { parsed.policy = CompressionPolicy() }
        } else if let fields = Fields(value, self, expected: "`on`, `off` or a mapping") {
            parsed.policy = compression(fields)
        }
        parsed.isRight = problems.count == before && !value.isUnusable
        return parsed
    }

    private func compression(_ all: Fields) -> CompressionPolicy {
        var fields = all
        var policy = CompressionPolicy()
        fields.update("encodings", &policy.encodings) { encodings($0) }
        fields.update("min_size", &policy.minSize) {
            size($0, Bounds.compressedSize).map { Int($0) }
        }
        fields.update("types", &policy.types) { mediaTypes($0) }
        if let levels = fields.take("level"),
            var inner = Fields(
                levels, self, expected: "a mapping", help: "for example `{gzip: 6, br: 5}`")
        {
            inner.update("gzip", &policy.gzipLevel) { integer($0, Bounds.gzipLevel) }
            inner.update("br", &policy.brotliQuality) { integer($0, Bounds.brotliQuality) }
            inner.finish()
        }
        fields.finish()
        return policy
    }

    private func encodings(_ value: Value) -> CodingOrder? {
        var codings: [ContentCoding] = []
        let known = ContentCoding.allCases.map { "\($0.name)" }
        for item in items(value, "encodings", atMost: known.count) {
            guard let text = word(item, "encoding", known),
                let coding = ContentCoding.allCases.first(where: { "\($0.name)" == text })
            else { continue }
            if codings.contains(coding) {
                error(item, "`\(text)` stands twice")
            } else {
                codings.append(coding)
            }
        }
        guard let first = codings.first else {
            if value.isEmptyList {
                expected("at least one of `br` and `gzip`", value, help: "or `compression: off`")
            }
            return nil
        }
        return CodingOrder(first, codings.count > 1 ? codings[1] : nil)
    }

    private func mediaTypes(_ value: Value) -> [MediaTypePattern]? {
        if value.isEmptyList {
            expected("at least one media type", value, help: "or `compression: off`")
        }
        return items(value, "media types", atMost: Bounds.mediaTypes).compactMap { item in
            guard let text = item.text, text.utf8.count <= Bounds.mediaTypeBytes,
                let pattern = MediaTypePattern(text)
            else {
                expected(
                    "a media type, or a pattern of them", item,
                    help: "for example `application/json`, `text/*` or `application/*+json`")
                return nil
            }
            if pattern.text == "text/event-stream" {
                error(item, "an event stream is never stored, and so never encoded")
            }
            return pattern
        }
    }

    /// A route's part: whether its stored answers are encoded.
    func routeCompression(
        _ value: Value?, caches: Bool, _ context: RouteContext
    ) -> Bool {
        let whole = context.compression
        guard let value else { return whole.policy != nil && caches }
        guard let choice = word(value, "choice", ["on", "off"]), choice == "on" else {
            return false
        }
        if whole.policy == nil && whole.isRight {
            error(
                value, "there is no `compression` at the top level to switch on",
                help: "write `compression: on` there; `off` excepts a route")
        } else if !caches && whole.isRight && context.cache.isRight && !context.cache.isOff {
            error(
                value, "the route does not use the cache, and only stored answers are encoded",
                help: "give the route a `cache`, or remove this")
        }
        return caches
    }

    /// Compression without a cache.
    func checkCompression(
        _ compression: ParsedCompression, _ cache: ParsedCache, _ routes: [RouteSettings]
    ) {
        guard let value = compression.value, compression.policy != nil, compression.isRight,
            cache.isRight, !cache.isOff, routes.allSatisfy({ $0.cache == nil })
        else { return }
        error(
            keyOf: value, "no route uses the cache, and only stored answers are encoded",
            help: "write `cache: 5m` for all routes or in one, or `compression: off`")
    }
}
