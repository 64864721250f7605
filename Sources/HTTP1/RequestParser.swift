public import HTTPModel
import Primitives

/// Reads the heads of one connection's requests at a time, strictly (RFC 9112): what two programs might read
/// differently is refused, never repaired.
///
/// Give it all bytes that were not consumed yet, again and again until the head is there; it never looks
/// at a byte twice to find the head's end. After an error the connection must be closed.
public struct RequestParser: Sendable {
    private var bounds: HeadBounds
    private var scanner = HeadScanner()
    /// A target while it is respelt; its block is kept.
    private var respelt: [UInt8] = []

    /// Creates a parser for a new connection.
    public init(bounds: HeadBounds) { self.bounds = bounds }

    /// Begins with another connection, or with other bounds between two heads of the same; memory is kept.
    public mutating func begin(bounds: HeadBounds) {
        self.bounds = bounds
        scanner.reset()
    }

    /// Reads one head from the beginning of `input`.
    ///
    /// - Parameters:
    ///   - input: The bytes given before that were not consumed, and those that arrived since.
    ///   - head: Filled on success; its memory is reused. Undefined after an error.
    /// - Returns: The number of bytes the head took, or `nil` when it has not all arrived.
    /// - Throws: Why the request is refused; how the bytes were cut never changes the reason.
    public mutating func parse(
        _ input: Span<UInt8>, into head: inout RequestHead
    ) throws(RequestError) -> Int? {
        let end: Int?
        do throws(HeadError) {
            end = try scanner.scan(
                input, bounds: bounds, skipping: Bounds.leadingEmptyLines)
        } catch {
            throw RequestError(error)
        }
        guard let end else { return nil }
        let bytes = input.extracting(scanner.headStart..<end)
        defer { scanner.reset() }

        let lineEnd = scanner.startLineEnd - scanner.headStart
        let line = try RequestLine(bytes, end: lineEnd)
        guard line.method != .connect && line.method != .trace else { throw .methodNotAllowed }
        guard line.target.count <= bounds.targetBytes else { throw .targetTooLong }
        head.fields.load(bytes)
        head.method = line.method
        head.methodRange = line.methodRange
        head.version = line.version
        head.authority = .empty
        try readTarget(of: line, in: bytes, into: &head)
        do throws(HeadError) {
            try head.fields.recordLines(of: bytes, after: lineEnd, scanner.fieldLines)
        } catch {
            throw RequestError(error)
        }
        try RequestParser.readHost(into: &head)
        head.framing = try RequestParser.framing(of: head.fields, line.version)
        let options = ConnectionOptions(head.fields)
        guard options.bytes <= Bounds.connectionBytes else { throw .connectionTooLong }
        head.keepsAlive = options.keepsAlive(line.version)
        return end
    }

    /// Reads the target in any of its forms (RFC 9112 §3.2).
    private mutating func readTarget(
        of line: RequestLine, in bytes: Span<UInt8>, into head: inout RequestHead
    ) throws(RequestError) {
        let target = bytes.extracting(line.target)
        if target[0] == 0x2F {
            return try readOriginForm(bytes, in: line.target, into: &head)
        }
        if target.equals("*") {
            guard line.method == .options else { throw .malformedTarget }
            return setAsterisk(ByteRange(start: line.target.lowerBound, count: 1), in: &head)
        }
        var start = 0
        if target.count > 7 && target.extracting(0..<7).equalsIgnoringCase("http://") {
            start = 7
        } else if target.count > 8 && target.extracting(0..<8).equalsIgnoringCase("https://") {
            start = 8
        } else {
            throw .malformedTarget
        }
        var end = start
        while end < target.count && target[end] != 0x2F && target[end] != 0x3F { end += 1 }
        guard let authorityEnd = Authority.end(target, in: start..<end) else { throw .invalidHost }
        head.authority = ByteRange(
            start: line.target.lowerBound + start, count: authorityEnd - start)
        if end == target.count && line.method == .options {
            // No path and no query: OPTIONS asks about the server (RFC 9112 §3.2.4).
            respelt.removeAll(keepingCapacity: true)
            respelt.append(0x2A)
            return setAsterisk(head.fields.appendBytes(respelt.span), in: &head)
        }
        let rest = (line.target.lowerBound + end)..<line.target.upperBound
        try readOriginForm(bytes, in: rest, into: &head)
    }

    private func setAsterisk(_ range: ByteRange, in head: inout RequestHead) {
        head.target = range
        head.path = range
        head.query = nil
    }

    /// Reads path and query, which stand in `range` of the head; a target that is not in its normal
    /// spelling is respelt and appended to the head's bytes.
    private mutating func readOriginForm(
        _ bytes: Span<UInt8>, in range: Range<Int>, into head: inout RequestHead
    ) throws(RequestError) {
        do throws(TargetError) {
            let seen = try TargetNormaliser.inspect(bytes, in: range)
            if seen.isNormal {
                head.target = ByteRange(start: range.lowerBound, count: range.count)
                head.path = ByteRange(start: range.lowerBound, count: seen.pathCount)
            } else {
                let target = bytes.extracting(range)
                let pathCount = try TargetNormaliser.normalise(target, into: &respelt)
                head.target = head.fields.appendBytes(respelt.span)
                head.path = ByteRange(start: Int(head.target.start), count: pathCount)
            }
        } catch {
            throw RequestError(error)
        }
        let rest = Int(head.target.count) - Int(head.path.count)
        head.query = rest == 0 ? nil : ByteRange(start: head.path.end + 1, count: rest - 1)
    }

    /// Checks Host (RFC 9112 §3.2). An authority in the target has precedence over its value.
    private static func readHost(into head: inout RequestHead) throws(RequestError) {
        guard let index = head.fields.firstIndex(of: .host) else {
            guard head.version == .http10 else { throw .missingHost }
            return
        }
        guard !head.fields.repeats(.host) else { throw .repeatedHost }
        let value = head.fields[index].valueRange.indices
        guard let end = Authority.end(head.fields.bytes, in: value) else { throw .invalidHost }
        if head.authority.isEmpty {
            head.authority = ByteRange(start: value.lowerBound, count: end - value.lowerBound)
        }
    }

    /// How the body of a request ends (RFC 9112 §6.3), with every doubt refused.
    private static func framing(
        of fields: borrowing FieldList, _ version: HTTPVersion
    ) throws(RequestError) -> BodyFraming {
        if fields.contains(.transferEncoding) {
            guard !fields.contains(.contentLength) else { throw .conflictingFraming }
            guard version == .http11 else { throw .transferEncodingInHTTP10 }
            switch TransferCodings(fields) {
            case .chunked: return .chunked
            case .othersThenChunked: throw .unknownTransferCoding
            case .faulty: throw .invalidTransferEncoding
            }
        }
        guard let index = fields.firstIndex(of: .contentLength) else { return .none }
        guard !fields.repeats(.contentLength) else { throw .repeatedContentLength }
        guard let length = contentLength(fields.value(at: index)) else {
            throw .invalidContentLength
        }
        return .length(length)
    }
}
