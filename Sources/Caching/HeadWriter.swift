import HTTPModel
import Primitives

/// Writes a prepared head: what RFC 9111 §3.1 lets a cache keep (cases `9111-3.1-…`).
///
/// Left out are hop-by-hop fields and all that Connection names, the framing, and from stored answers
/// Age, Set-Cookie (but with `set_cookie: store`), the proxy authentication fields, the fields of tags, which are for
/// this cache, and the limits of the upstream, which must not be replayed (standards S1). What is for this cache alone,
/// and what is for one client alone, is set apart.
struct HeadWriter {
    private(set) var bytes: [UInt8] = []
    /// Lines that are kept and not sent.
    private(set) var unsent: [UInt8] = []
    /// Lines for the client whose request led to the answer.
    private(set) var personal: [UInt8] = []
    private(set) var etag: ByteRange?
    private(set) var lastModified: ByteRange?
    private let stores: Bool
    private let setCookie: CachePolicy.SetCookie
    private let ownField: [UInt8]
    private let variesByCoding: Bool

    init(
        stores: Bool, variesByCoding: Bool = false, policy: borrowing CachePolicy = CachePolicy()
    ) {
        self.stores = stores
        self.variesByCoding = variesByCoding
        setCookie = policy.setCookie
        ownField = policy.originTTLName
    }

    /// Fields of one connection, and the framing.
    static let hopByHop: FieldNameSet = [
        .connection, .keepAlive, .proxyConnection, .te, .transferEncoding, .upgrade, .trailer,
        .contentLength,
    ]
    private static let notStored: FieldNameSet = [
        .age, .proxyAuthenticate, .proxyAuthorization, .proxyAuthenticationInfo,
        .ratelimit, .ratelimitPolicy, .xRatelimitLimit, .xRatelimitRemaining, .xRatelimitReset,
        .surrogateKey,
    ]

    mutating func write(
        _ response: borrowing ResponseHead, contentLength: UInt64?, receivedAt: UInt64
    ) {
        bytes.reserveCapacity(response.fields.bytes.count + 96)
        bytes.append("HTTP/1.1 ")
        bytes.append(decimal: UInt64(response.status.code))
        bytes.append(ASCII.space)
        if response.reason.isEmpty {
            bytes.append(response.status.reason)
        } else {
            bytes.append(response.span(response.reason))
        }
        endLine()
        let withheld = stores ? WithheldFields(of: response.fields) : nil
        for i in response.fields.indices where !HeadWriter.isOfConnection(i, of: response.fields) {
            let name = response.fields.name(at: i)
            if isOurs(i, of: response.fields) {
                if stores { HeadWriter.append(i, of: response.fields, to: &unsent) }
            } else if withheld?.contains(name) ?? false {
                HeadWriter.append(i, of: response.fields, to: &personal)
            } else if stores && setCookie != .store && response.fields[i].name == .setCookie {
                HeadWriter.append(i, of: response.fields, to: &personal)
            } else if !stores || HeadWriter.isStored(i, of: response.fields) {
                writeField(i, of: response.fields)
            }
        }
        if !response.fields.contains(.date) {
            // RFC 9110 §6.6.1: who receives an answer without Date and keeps or forwards it adds one.
            bytes.append("Date: ")
            HTTPDate.append(receivedAt, to: &bytes)
            endLine()
        }
        if variesByCoding && !VariantKey.isNamed("accept-encoding", by: response.fields) {
            // Lines of one list are one list (RFC 9110 §5.3).
            bytes.append("Vary: Accept-Encoding")
            endLine()
        }
        if let contentLength, !response.status.forbidsBody {
            HeadWriter.appendContentLength(contentLength, to: &bytes)
        }
    }

    static func appendContentLength(_ count: UInt64, to bytes: inout [UInt8]) {
        bytes.append("Content-Length: ")
        bytes.append(decimal: count)
        bytes.append("\r\n")
    }

    private mutating func endLine() { bytes.append("\r\n") }

    private mutating func writeField(_ i: Int, of fields: borrowing FieldList) {
        bytes.append(fields.name(at: i))
        bytes.append(": ")
        let value = ByteRange(start: bytes.count, count: fields.value(at: i).count)
        bytes.append(fields.value(at: i))
        endLine()
        switch fields[i].name {
        case .etag: etag = etag ?? value
        case .lastModified: lastModified = lastModified ?? value
        default: break
        }
    }

    private static func append(_ i: Int, of fields: borrowing FieldList, to lines: inout [UInt8]) {
        lines.append(fields.name(at: i))
        lines.append(": ")
        lines.append(fields.value(at: i))
        lines.append("\r\n")
    }

    /// Whether the field is for this cache alone: Weir-Cache-Control, and the one of `origin_ttl`.
    private func isOurs(_ i: Int, of fields: borrowing FieldList) -> Bool {
        if fields[i].name == .weirCacheControl { return true }
        return !ownField.isEmpty && fields.name(at: i).equalsIgnoringCase(ownField.span)
    }

    private static func isOfConnection(_ i: Int, of fields: borrowing FieldList) -> Bool {
        hopByHop.contains(fields[i].name) || isNamedByConnection(fields.name(at: i), in: fields)
    }

    private static func isStored(_ i: Int, of fields: borrowing FieldList) -> Bool {
        let name = fields[i].name
        guard !notStored.contains(name) else { return false }
        let text = fields.name(at: i)
        return name != .other || !(isLimitField(text) || CacheTags.isConsumed(text))
    }

    /// Whether the name belongs to one of the limit dialects (`X-RateLimit-Used`, `RateLimit-Limit` …).
    private static func isLimitField(_ name: Span<UInt8>) -> Bool {
        let long = name.count >= 11 && name.extracting(0..<11).equalsIgnoringCase("x-ratelimit")
        return long || (name.count >= 9 && name.extracting(0..<9).equalsIgnoringCase("ratelimit"))
    }

    /// Whether Connection lists the field (RFC 9110 §7.6.1).
    static func isNamedByConnection(_ name: Span<UInt8>, in fields: borrowing FieldList) -> Bool {
        guard fields.contains(.connection) else { return false }
        for i in fields.indices where fields[i].name == .connection {
            let line = fields.value(at: i)
            var start = 0
            while start < line.count {
                let end = line.firstIndex(of: UInt8(ascii: ","), from: start) ?? line.count
                if line.extracting(start..<end).trimmed.equalsIgnoringCase(name) { return true }
                start = end + 1
            }
        }
        return false
    }
}
