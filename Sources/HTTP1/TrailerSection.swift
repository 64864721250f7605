import HTTPModel
import Primitives

/// Collects the trailer section of a chunked body (RFC 9112 §7.1.2): field lines and an empty line.
///
/// The lines gather in the bytes of `fields` as they arrive; each is recorded when its CRLF is there. A
/// body without trailers allocates nothing.
struct TrailerSection: Sendable {
    private(set) var fields = FieldList()
    private var lines = 0
    /// Where the line that is being read begins in the bytes of `fields`.
    private var lineStart = 0
    private var sawCR = false

    /// Reads from `i` on; whether the section is complete.
    mutating func read(_ input: Span<UInt8>, at i: inout Int) throws(BodyError) -> Bool {
        while i < input.count {
            if sawCR {
                guard input[i] == ASCII.lf else { throw .malformedTrailer }
                i += 1
                sawCR = false
                if fields.bytes.count == lineStart { return true }
                try recordLine()
                continue
            }
            let end = input.firstControl(from: i, to: input.count)
            try append(input.extracting(i..<end))
            i = end
            guard i < input.count else { return false }
            switch input[i] {
            case ASCII.cr: sawCR = true
            case ASCII.tab: try append(input.extracting(i..<(i + 1)))
            default: throw .malformedTrailer
            }
            i += 1
        }
        return false
    }

    private mutating func append(_ piece: Span<UInt8>) throws(BodyError) {
        guard piece.count > 0 else { return }
        guard fields.bytes.count + piece.count <= Bounds.trailerBytes else {
            throw .trailersTooLarge
        }
        _ = fields.appendBytes(piece)
    }

    private mutating func recordLine() throws(BodyError) {
        lines += 1
        guard lines <= Bounds.trailerFields else { throw .trailersTooLarge }
        let end = fields.bytes.count
        let line: FieldLine
        let name: FieldName
        do throws(HeadError) {
            let bytes = fields.bytes
            line = try FieldLine(bytes, from: lineStart, to: end)
            try line.checkName(bytes)
            name = FieldName(recognising: bytes, in: line.name)
        } catch {
            throw .malformedTrailer
        }
        if !TrailerSection.forbidden.contains(name) {
            fields.record(name: line.name, value: line.value)
        }
        lineStart = end
    }

    /// Known fields that frame, route, authenticate or describe the message (RFC 9110 §6.5.1).
    private static let forbidden: FieldNameSet = [
        .host, .connection, .contentLength, .transferEncoding, .te, .trailer, .upgrade, .keepAlive,
        .proxyConnection, .expect, .via, .forwarded, .xForwardedFor, .xForwardedProto,
        .xForwardedHost, .xRealIp, .authorization, .cookie, .setCookie, .cacheControl, .pragma,
        .expires, .age, .date, .vary, .ifMatch, .ifNoneMatch, .ifModifiedSince, .ifUnmodifiedSince,
        .ifRange, .range, .contentRange, .contentType, .contentEncoding, .location,
        .proxyAuthenticate, .proxyAuthorization, .proxyAuthenticationInfo, .retryAfter, .ratelimit,
        .ratelimitPolicy, .xApiKey, .idempotencyKey, .maxForwards, .xWeirDebug,
    ]
}
