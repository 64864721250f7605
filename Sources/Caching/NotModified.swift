import HTTPModel
public import Primitives

extension CachedHead {
    /// Appends the head of a 304 made from this answer, without the empty line (RFC 9110 §15.4.5).
    ///
    /// All stored fields go along but those that describe a body: clients update what they have by them.
    /// `weakening`: for a client that would get a coded body, whose ETag is weak.
    public func appendNotModified(to buffer: ByteBuffer, weakening: Bool = false) {
        buffer.append("HTTP/1.1 304 Not Modified\r\n")
        let bytes = self.bytes
        let all = bytes.span
        var start = 0
        while let end = all.firstIndex(of: ASCII.lf, from: start) {
            let line = all.extracting(start..<end + 1)
            let colon = line.firstIndex(of: UInt8(ascii: ":")) ?? 0
            let name = FieldName(recognising: line.extracting(0..<colon))
            if start > 0 && !CachedHead.describesBody.contains(name) {
                append(line, at: start, weakening: weakening) { buffer.append($0) }
            }
            start = end + 1
        }
    }

    private static let describesBody: FieldNameSet = [
        .contentLength, .contentType, .contentEncoding, .contentRange, .transferEncoding,
    ]
}
