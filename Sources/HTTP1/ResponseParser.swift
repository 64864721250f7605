public import HTTPModel
import Primitives

/// Reads the heads of the responses on one connection to an origin (RFC 9112 §4).
///
/// As strict as `RequestParser`, but equal Content-Length values are folded into one. A head of status
/// 1xx is returned like any other; more follow it for the same request.
public struct ResponseParser: Sendable {
    private let bounds: HeadBounds
    private var scanner = HeadScanner()

    /// Creates a parser for a new connection.
    public init(bounds: HeadBounds) { self.bounds = bounds }

    /// Reads one head from the beginning of `input`.
    ///
    /// - Parameters:
    ///   - input: The bytes given before that were not consumed, and those that arrived since.
    ///   - method: The request's method: a response to HEAD has no body.
    ///   - head: Filled on success; its memory is reused. Undefined after an error.
    /// - Returns: The number of bytes the head took, or `nil` when it has not all arrived.
    /// - Throws: Why the response is refused; how the bytes were cut never changes the reason.
    public mutating func parse(
        _ input: Span<UInt8>, for method: Method, into head: inout ResponseHead
    ) throws(ResponseError) -> Int? {
        let end: Int?
        do throws(HeadError) {
            end = try scanner.scan(input, bounds: bounds, skipping: 0)
        } catch {
            throw ResponseError(error)
        }
        guard let end else { return nil }
        defer { scanner.reset() }
        let bytes = input.extracting(0..<end)
        head.fields.load(bytes)
        let lineEnd = scanner.startLineEnd
        try ResponseParser.readStatusLine(bytes, end: lineEnd, into: &head)
        do throws(HeadError) {
            try head.fields.recordLines(of: bytes, after: lineEnd, scanner.fieldLines)
        } catch {
            throw ResponseError(error)
        }
        let options = ConnectionOptions(head.fields)
        guard options.bytes <= Bounds.connectionBytes else { throw .connectionTooLong }
        head.keepsAlive = options.keepsAlive(head.version)
        try ResponseParser.readFraming(bytes, for: method, into: &head)
        return end
    }

    /// Reads `version SP status [SP reason]`, which ends at `lineEnd`. Some origins leave out the last
    /// space together with the reason.
    private static func readStatusLine(
        _ bytes: Span<UInt8>, end lineEnd: Int, into head: inout ResponseHead
    ) throws(ResponseError) {
        guard lineEnd >= 12 && bytes[8] == ASCII.space else { throw .malformedStatusLine }
        switch bytes.littleEndianWord(at: 0) {
        case VersionWord.http11: head.version = .http11
        case VersionWord.http10: head.version = .http10
        default:
            throw bytes.starts(with: "HTTP/") ? .unsupportedVersion : .malformedStatusLine
        }
        let (hundreds, tens, ones) = (bytes[9] &- 48, bytes[10] &- 48, bytes[11] &- 48)
        guard hundreds < 10 && tens < 10 && ones < 10 else { throw .malformedStatusLine }
        guard let status = Status(code: UInt64(hundreds) * 100 + UInt64(tens) * 10 + UInt64(ones))
        else { throw .invalidStatus }
        head.status = status
        guard lineEnd == 12 || bytes[12] == ASCII.space else { throw .malformedStatusLine }
        let reasonStart = min(13, lineEnd)
        head.reason = ByteRange(start: reasonStart, count: lineEnd - reasonStart)
    }

    /// Decides how the body ends (RFC 9112 §6.3).
    private static func readFraming(
        _ bytes: Span<UInt8>, for method: Method, into head: inout ResponseHead
    ) throws(ResponseError) {
        var length: UInt64?
        let isChunked = head.fields.contains(.transferEncoding)
        if isChunked {
            guard head.version == .http11 && !head.fields.contains(.contentLength) else {
                throw .ambiguousFraming
            }
            // Transfer codings are taken off before a body is passed on, and only `chunked` can be.
            guard case .chunked = TransferCodings(head.fields) else {
                throw .unknownTransferCoding
            }
        } else if head.fields.contains(.contentLength) {
            length = try foldContentLength(bytes, in: &head.fields)
        }
        if method == .head || head.status.forbidsBody {
            head.framing = .none
            // An origin that announces a body where there is none may well send it: do not wait for it
            // to be taken for the next response. For HEAD and 304 the fields describe another message.
            let announcesBody = isChunked || (length ?? 0) > 0
            if announcesBody && method != .head && head.status != 304 { head.keepsAlive = false }
        } else if isChunked {
            head.framing = .chunked
        } else if let length {
            head.framing = .length(length)
        } else {
            head.framing = .untilClose
            head.keepsAlive = false
        }
    }

    /// The number that all Content-Length values agree on; several become one field (RFC 9110 §8.6).
    private static func foldContentLength(
        _ bytes: Span<UInt8>, in fields: inout FieldList
    ) throws(ResponseError) -> UInt64 {
        if !fields.repeats(.contentLength), let value = fields.first(.contentLength),
            let length = contentLength(value)
        {
            return length
        }
        var agreed: UInt64?
        var first = ByteRange.empty
        var values = 0
        for index in fields.indices where fields[index].name == .contentLength {
            let value = fields[index].valueRange
            let list = bytes.extracting(value.indices)
            var cursor = ListCursor()
            while let member = cursor.next(in: list) {
                guard let number = contentLength(list.extracting(member)),
                    agreed == nil || agreed == number
                else { throw .invalidContentLength }
                if agreed == nil {
                    let start = Int(value.start) + member.lowerBound
                    first = ByteRange(start: start, count: member.count)
                }
                agreed = number
                values += 1
            }
        }
        guard let agreed else { throw .invalidContentLength }
        if values > 1 {
            fields.remove(.contentLength)
            fields.append(.contentLength, bytes.extracting(first.indices))
        }
        return agreed
    }
}
