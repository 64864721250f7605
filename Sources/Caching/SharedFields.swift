import HTTPModel
import Primitives

/// A head that came from Redis, checked to be one as `CachedHead` holds it: it will be sent as it is.
struct SharedFields {
    let bytes: [UInt8]
    private(set) var etag: ByteRange?
    private(set) var lastModified: ByteRange?

    /// `nil` when a line is malformed, a field is there that a stored head has not, the status line is of another
    /// status, or the length of another body.
    init?(_ bytes: Span<UInt8>, status: Status, bodyCount: Int) {
        self.bytes = bytes.copied
        guard !status.forbidsBody || bodyCount == 0 else { return nil }
        var lengths = 0
        var start = 0
        while let end = bytes.firstIndex(of: ASCII.cr, from: start) {
            guard end + 1 < bytes.count, bytes[end + 1] == ASCII.lf else { return nil }
            let line = bytes.extracting(start..<end)
            if start == 0 {
                guard SharedFields.isStatusLine(line, of: status) else { return nil }
            } else {
                guard let colon = SharedFields.colon(in: line) else { return nil }
                let value = ByteRange(start: start + colon + 2, count: line.count - colon - 2)
                let name = FieldName(recognising: line.extracting(0..<colon))
                switch name {
                case .contentLength:
                    guard bytes.extracting(value.indices).decimalValue == UInt64(bodyCount) else {
                        return nil
                    }
                    lengths += 1
                case .etag: etag = etag ?? value
                case .lastModified: lastModified = lastModified ?? value
                default: if HeadWriter.hopByHop.contains(name) { return nil }
                }
            }
            start = end + 2
        }
        guard start == bytes.count, start > 0, lengths == (status.forbidsBody ? 0 : 1) else {
            return nil
        }
    }

    /// Whether `bytes` are field lines as `CachedHead` keeps them, each with its end.
    static func areLines(_ bytes: Span<UInt8>) -> Bool {
        var start = 0
        while let end = bytes.firstIndex(of: ASCII.cr, from: start) {
            guard end + 1 < bytes.count, bytes[end + 1] == ASCII.lf,
                colon(in: bytes.extracting(start..<end)) != nil
            else { return false }
            start = end + 2
        }
        return start == bytes.count
    }

    /// `HTTP/1.1 200 OK`
    private static func isStatusLine(_ line: Span<UInt8>, of status: Status) -> Bool {
        guard line.count >= 13, line.starts(with: "HTTP/1.1 "), line[12] == ASCII.space else {
            return false
        }
        for i in line.indices where !ASCII.isFieldContent(line[i]) { return false }
        return line.extracting(9..<12).decimalValue == UInt64(status.code)
    }

    /// Where the colon of `Name: value` stands; `nil` when the line is not so.
    private static func colon(in line: Span<UInt8>) -> Int? {
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > 0,
            colon + 1 < line.count, line[colon + 1] == ASCII.space
        else { return nil }
        for i in 0..<colon where !ASCII.isToken(line[i]) { return nil }
        for i in colon..<line.count where !ASCII.isFieldContent(line[i]) { return nil }
        return colon
    }
}
