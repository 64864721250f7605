import HTTPModel
public import Primitives

/// The heads of answers that carry a part of a stored one (RFC 9110 §15.3.7, §15.5.17).
extension CachedHead {
    /// Appends the head of a 206 with one part, without the empty line.
    public func append(_ slice: BodySlice, to buffer: ByteBuffer) {
        appendPartial(to: buffer, dropping: [.contentLength])
        CachedHead.appendContentRange(slice, of: contentLength, to: buffer)
        CachedHead.appendLength(slice.count, to: buffer)
    }

    /// Appends the head of a 206 with several parts, without the empty line.
    public func append(_ parts: MultipartRanges, to buffer: ByteBuffer) {
        appendPartial(to: buffer, dropping: [.contentLength, .contentType])
        buffer.append("Content-Type: multipart/byteranges; boundary=")
        parts.appendBoundary(to: buffer)
        buffer.append("\r\n")
        CachedHead.appendLength(parts.count, to: buffer)
    }

    /// Appends the head of a 416, without Date and the empty line: only the length of the whole answer is told.
    public func appendUnsatisfiable(to buffer: ByteBuffer) {
        buffer.append("HTTP/1.1 416 Range Not Satisfiable\r\nContent-Range: bytes */")
        buffer.append(decimal: contentLength ?? 0)
        buffer.append("\r\nContent-Length: 0\r\n")
    }

    /// Appends `Accept-Ranges: bytes` where ranges of the answer are served and the origin has not spoken of it.
    public func appendAcceptRanges(to buffer: ByteBuffer) {
        if isStorable && status == 200 && acceptRanges == .unsaid {
            buffer.append("Accept-Ranges: bytes\r\n")
        }
    }

    /// A 206 instead of the status line, and the fields but those of `dropped`.
    private func appendPartial(to buffer: ByteBuffer, dropping dropped: FieldNameSet) {
        buffer.append("HTTP/1.1 206 Partial Content\r\n")
        let bytes = self.bytes
        let all = bytes.span
        var start = (all.firstIndex(of: ASCII.lf) ?? all.count - 1) + 1
        while let end = all.firstIndex(of: ASCII.lf, from: start) {
            let line = all.extracting(start..<end + 1)
            let colon = line.firstIndex(of: UInt8(ascii: ":")) ?? 0
            let name = FieldName(recognising: line.extracting(0..<colon))
            if !dropped.contains(name) { buffer.append(line) }
            start = end + 1
        }
    }

    static func appendContentRange(
        _ slice: BodySlice, of length: UInt64?, to buffer: ByteBuffer
    ) {
        buffer.append("Content-Range: bytes ")
        buffer.append(decimal: UInt64(slice.start))
        buffer.append(UInt8(ascii: "-"))
        buffer.append(decimal: UInt64(slice.end - 1))
        buffer.append(UInt8(ascii: "/"))
        buffer.append(decimal: length ?? 0)
        buffer.append("\r\n")
    }

    private static func appendLength(_ count: Int, to buffer: ByteBuffer) {
        buffer.append("Content-Length: ")
        buffer.append(decimal: UInt64(count))
        buffer.append("\r\n")
    }
}
