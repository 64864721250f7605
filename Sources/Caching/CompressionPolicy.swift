public import HTTPModel
import Primitives

/// Which stored answers are kept in content codings too, and how they are made.
public struct CompressionPolicy: Sendable, Equatable {
    /// The codings, by preference.
    public var encodings = CodingOrder(.br, .gzip)
    /// The fewest bytes of a body that is encoded.
    public var minSize = 1 << 10
    /// The media types that are encoded. `text/event-stream` never is.
    public var types = CompressionPolicy.usualTypes
    /// gzip's level, 1…9.
    public var gzipLevel = 6
    /// Brotli's quality, 0…9.
    public var brotliQuality = 5

    /// Creates the usual policy.
    public init() {}

    /// Text, and what else is text under another name.
    public static let usualTypes = [
        "text/*", "application/json", "application/*+json", "application/xml", "application/*+xml",
        "application/javascript", "application/graphql", "application/wasm", "application/yaml",
        "application/x-ndjson", "image/svg+xml",
    ].compactMap(MediaTypePattern.init)
}

extension CompressionPolicy {
    /// Whether the answer may be sent in another coding than it came in: it has none, is of one of the types,
    /// long enough as far as is known, whole, and the origin does not forbid it (RFC 9111 §5.2.2.6).
    func admits(_ response: borrowing ResponseHead) -> Bool {
        let fields = response.fields
        guard !response.status.forbidsBody, response.status != 206,
            !fields.containsAny(of: [.contentEncoding, .contentRange]),
            let type = fields.first(.contentType), !isEventStream(type),
            types.contains(where: { $0.matches(type) })
        else { return false }
        switch response.framing {
        case .none: return false
        case .length(let count) where count < UInt64(max(minSize, 1)): return false
        case .length, .chunked, .untilClose: break
        }
        return !CacheDirectives(of: fields).flags.contains(.noTransform)
    }

    private func isEventStream(_ type: Span<UInt8>) -> Bool {
        let end = type.firstIndex(of: UInt8(ascii: ";")) ?? type.count
        return type.extracting(0..<end).trimmed.equalsIgnoringCase("text/event-stream")
    }
}
