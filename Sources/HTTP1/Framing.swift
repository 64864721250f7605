import HTTPModel
import Primitives

/// What all Transfer-Encoding lines of a message say together (RFC 9112 §6.1).
enum TransferCodings: BitwiseCopyable {
    /// `chunked` and nothing else.
    case chunked
    /// Other codings, then `chunked` at the end.
    case othersThenChunked
    /// `chunked` twice, not at the end, or missing; or an empty member.
    case faulty

    /// Reads the Transfer-Encoding fields of `fields`.
    init(_ fields: borrowing FieldList) {
        var members = 0
        var chunked = 0
        var endsInChunked = false
        var isFaulty = false
        for index in fields.indices where fields[index].name == .transferEncoding {
            let value = fields.value(at: index)
            var cursor = ListCursor()
            while let member = cursor.next(in: value) {
                members += 1
                endsInChunked = value.extracting(member).equalsIgnoringCase("chunked")
                if endsInChunked { chunked += 1 }
                if member.isEmpty { isFaulty = true }
            }
        }
        if isFaulty || chunked != 1 || !endsInChunked {
            self = .faulty
        } else {
            self = members == 1 ? .chunked : .othersThenChunked
        }
    }
}

/// The number of a Content-Length: digits only, below 2⁶³; `nil` for anything else (RFC 9110 §8.6).
func contentLength(_ value: Span<UInt8>) -> UInt64? {
    guard let number = value.decimalValue, number <= UInt64(Int64.max) else { return nil }
    return number
}

/// What the Connection fields of a message say about its connection (RFC 9112 §9.3).
struct ConnectionOptions: BitwiseCopyable {
    /// `close` is listed.
    var close = false
    /// `keep-alive` is listed.
    var keepAlive = false
    /// The bytes of all values.
    var bytes = 0

    /// Reads the Connection fields of `fields`.
    @inline(__always)
    init(_ fields: borrowing FieldList) {
        if fields.contains(.connection) { read(fields) }
    }

    @inline(never)
    private mutating func read(_ fields: borrowing FieldList) {
        for index in fields.indices where fields[index].name == .connection {
            let value = fields.value(at: index)
            bytes += value.count
            if value.equalsIgnoringCase("keep-alive") {
                keepAlive = true
                continue
            }
            var cursor = ListCursor()
            while let member = cursor.next(in: value) {
                let option = value.extracting(member)
                if option.equalsIgnoringCase("close") { close = true }
                if option.equalsIgnoringCase("keep-alive") { keepAlive = true }
            }
        }
    }

    /// Whether the connection may be used again after a message of `version`.
    func keepsAlive(_ version: HTTPVersion) -> Bool {
        !close && (version == .http11 || keepAlive)
    }
}

/// `host [":" port]` of a Host field or an absolute-form target (RFC 3986 §3.2).
enum Authority {
    /// Where the authority ends that begins `range` and is all of it but for a colon, or `nil` when it is not one.
    ///
    /// A name is made of letters, digits and `-._~`: stricter than the grammar, whose other characters
    /// no resolver takes. A port is at most 65535; a colon without a port is left out. User
    /// information is refused (RFC 9110 §4.2.4).
    static func end(_ bytes: Span<UInt8>, in range: Range<Int>) -> Int? {
        let end = range.upperBound
        guard !range.isEmpty else { return nil }
        var i = range.lowerBound
        if bytes[i] == 0x5B {
            i += 1
            while i < end, ASCII.hexValue(bytes[i]) != nil || isColonOrDot(bytes[i]) { i += 1 }
            guard i > range.lowerBound + 3 && i < end && bytes[i] == 0x5D else { return nil }
            i += 1
        } else {
            i = bytes.firstUnlikeHost(from: i, to: end)
            while i < end && isNameByte(bytes[i]) { i += 1 }
            guard i > range.lowerBound else { return nil }
        }
        if i == end { return i }
        guard bytes[i] == 0x3A else { return nil }
        if i + 1 == end { return i }
        guard end - i <= 6, let port = bytes.extracting((i + 1)..<end).decimalValue, port <= 65535
        else { return nil }
        return end
    }

    private static func isColonOrDot(_ byte: UInt8) -> Bool { byte == 0x3A || byte == 0x2E }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        // `-`, `.`, digits; letters, `_`, `~`.
        let set: UInt64 = byte < 64 ? 0x03FF_6000_0000_0000 : 0x47FF_FFFE_87FF_FFFE
        return byte < 128 && (set >> UInt64(byte & 63)) & 1 == 1
    }
}
