public import HTTPModel
public import Primitives

/// Writes messages as HTTP/1.1 bytes into a buffer.
///
/// Names and values are written as they are: they come from parsed heads, which hold no CR, LF or NUL,
/// or are made by this proxy. A head is a first line, fields and `appendEndOfHead`.
public enum HTTP1Writer {
    /// Appends `HTTP/1.1 200 OK` and its CRLF.
    public static func appendStatusLine(_ status: Status, to buffer: ByteBuffer) {
        switch status.code {
        case 200: return buffer.append("HTTP/1.1 200 OK\r\n")
        case 304: return buffer.append("HTTP/1.1 304 Not Modified\r\n")
        case 429: return buffer.append("HTTP/1.1 429 Too Many Requests\r\n")
        default: break
        }
        buffer.append("HTTP/1.1 ")
        buffer.append(decimal: UInt64(status.code))
        buffer.append(ASCII.space)
        buffer.append(status.reason)
        buffer.append("\r\n")
    }

    /// Appends the request line of `head` as HTTP/1.1.
    public static func appendRequestLine(_ head: borrowing RequestHead, to buffer: ByteBuffer) {
        let (method, target) = (head.methodRange, head.target)
        let bytes = head.fields.bytes
        // In a head that was read both stand side by side, unless the target was respelt.
        if method.end + 1 == Int(target.start) && bytes[method.end] == ASCII.space {
            let piece = bytes.extracting(Int(method.start)..<target.end)
            buffer.append("", piece, " HTTP/1.1\r\n")
        } else {
            appendRequestLine(head: head, target: head.span(target), to: buffer)
        }
    }

    /// Appends the request line of `head` with another target, as HTTP/1.1.
    ///
    /// - Parameters:
    ///   - head: Gives the method.
    ///   - target: The target to ask for, in origin-form or `*`. Must not lie in `buffer`.
    ///   - buffer: Where the bytes go.
    public static func appendRequestLine(
        head: borrowing RequestHead, target: Span<UInt8>, to buffer: ByteBuffer
    ) {
        buffer.append(head.span(head.methodRange))
        buffer.append(" ", target, " HTTP/1.1\r\n")
    }

    /// Appends a field line of a known name.
    public static func appendField(_ name: FieldName, _ value: Span<UInt8>, to buffer: ByteBuffer) {
        buffer.append(name.text)
        buffer.append(": ", value, "\r\n")
    }

    /// Appends a field line of a known name with a literal value.
    public static func appendField(_ name: FieldName, _ value: StaticString, to buffer: ByteBuffer)
    {
        buffer.append(name.text)
        buffer.append(": ")
        buffer.append(value)
        buffer.append("\r\n")
    }

    /// Appends a field line of a known name whose value is `number` in decimal digits.
    public static func appendField(_ name: FieldName, decimal number: UInt64, to buffer: ByteBuffer)
    {
        buffer.append(name.text)
        buffer.append(": ")
        buffer.append(decimal: number)
        buffer.append("\r\n")
    }

    /// Appends the Content-Length of a body of `length` bytes.
    public static func appendContentLength(_ length: UInt64, to buffer: ByteBuffer) {
        buffer.append("Content-Length: ")
        buffer.append(decimal: length)
        buffer.append("\r\n")
    }

    /// Appends a field line of any name, spelt as given.
    public static func appendField(
        name: Span<UInt8>, value: Span<UInt8>, to buffer: ByteBuffer
    ) {
        buffer.append(name)
        buffer.append(": ", value, "\r\n")
    }

    /// Appends the lines of a head but for the known names `left`, and of names without a case of their own those
    /// that `passes` lets through; lines that stand side by side there in one piece.
    @inlinable
    @inline(__always)
    public static func appendFields(
        of fields: borrowing FieldList, without left: FieldNameSet, to buffer: ByteBuffer,
        where passes: (Int) -> Bool
    ) {
        let bytes = fields.bytes
        var piece = 0..<0
        for index in fields.indices {
            let field = fields[index]
            if field.name == .other ? !passes(index) : left.contains(field.name) { continue }
            guard let line = field.line(in: bytes) else {
                if !piece.isEmpty { buffer.append(bytes.extracting(piece)) }
                piece = 0..<0
                let (name, value) = (fields.name(at: index), fields.value(at: index))
                appendField(name: name, value: value, to: buffer)
                continue
            }
            if line.lowerBound == piece.upperBound {
                piece = piece.lowerBound..<line.upperBound
            } else {
                if !piece.isEmpty { buffer.append(bytes.extracting(piece)) }
                piece = line
            }
        }
        if !piece.isEmpty { buffer.append(bytes.extracting(piece)) }
    }

    /// Appends the empty line that ends a head.
    @inlinable
    @inline(__always)
    public static func appendEndOfHead(to buffer: ByteBuffer) { buffer.append("\r\n") }

    /// Appends the line before `size` bytes of chunk data. Never 0, which would end the body.
    public static func appendChunkHeader(size: Int, to buffer: ByteBuffer) {
        precondition(size > 0)
        var shift = (Int.bitWidth - 1 - size.leadingZeroBitCount) & ~3
        while shift >= 0 {
            let digit = UInt8(truncatingIfNeeded: size >> shift & 15)
            buffer.append(digit < 10 ? 0x30 + digit : 0x57 + digit)
            shift -= 4
        }
        buffer.append("\r\n")
    }

    /// Appends the CRLF after a chunk's data.
    public static func appendChunkEnd(to buffer: ByteBuffer) { buffer.append("\r\n") }

    /// Appends the end of a chunked body without trailers.
    public static func appendLastChunk(to buffer: ByteBuffer) { buffer.append("0\r\n\r\n") }

    /// Appends the end of a chunked body with its trailer fields.
    public static func appendLastChunk(
        trailers: borrowing FieldList, to buffer: ByteBuffer
    ) {
        buffer.append("0\r\n")
        for index in trailers.indices {
            appendField(
                name: trailers.name(at: index), value: trailers.value(at: index), to: buffer)
        }
        buffer.append("\r\n")
    }
}
