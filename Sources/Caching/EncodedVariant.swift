public import HTTPModel
import Primitives

/// A stored answer in a content coding: a body of its own, and the head that goes with it. Immutable.
///
/// The head is the stored one but for what the coding changes (RFC 9110 §8.4, §8.8.3): Content-Encoding and
/// Content-Length are the coding's; the ETag is weak, since a strong one names the bytes it came with; digests
/// of these bytes and Accept-Ranges are not there.
public final class EncodedVariant: Sendable {
    /// The coding.
    public let coding: ContentCoding
    /// Status line and fields, as `CachedHead.bytes`.
    public let head: [UInt8]
    /// The coded body in its order; empty where coding gained nothing: the answer goes as it is.
    public let body: [[UInt8]]
    /// The length of the coded body in bytes.
    public let bodyCount: Int
    /// What it costs of the store's budget, in bytes.
    public let byteCost: Int

    /// Joins a coded body with the head of the answer it was made from.
    public init(_ coding: ContentCoding, of original: CachedHead, body: [[UInt8]]) {
        self.coding = coding
        self.body = body
        bodyCount = body.reduce(0) { $0 + $1.count }
        head =
            body.isEmpty
            ? [] : EncodedVariant.head(of: original, coding: coding, bodyCount: bodyCount)
        byteCost =
            ByteCost.encodedVariant + ByteCost.block(head.capacity)
            + ByteCost.block(body.capacity * MemoryLayout<[UInt8]>.stride)
            + body.reduce(0) { $0 + ByteCost.block($1.capacity) }
    }

    /// Whether it is smaller than the answer as it is.
    public var isUseful: Bool { !body.isEmpty }

    private static func head(
        of original: CachedHead, coding: ContentCoding, bodyCount: Int
    ) -> [UInt8] {
        let bytes = original.bytes
        let all = bytes.span
        var head: [UInt8] = []
        head.reserveCapacity(bytes.count + 32)
        var start = 0
        while let end = all.firstIndex(of: ASCII.lf, from: start) {
            let line = all.extracting(start..<end + 1)
            if start == 0 || !isChanged(line) {
                original.append(line, at: start, weakening: true) { head.append($0) }
            }
            start = end + 1
        }
        head.append("Content-Encoding: ")
        head.append(coding.name)
        head.append("\r\n")
        HeadWriter.appendContentLength(UInt64(bodyCount), to: &head)
        return head
    }

    /// Whether a field line is wrong for coded bytes.
    private static func isChanged(_ line: Span<UInt8>) -> Bool {
        let name = line.extracting(0..<(line.firstIndex(of: UInt8(ascii: ":")) ?? 0))
        switch FieldName(recognising: name) {
        case .contentLength, .acceptRanges: return true
        case .other:
            return name.equalsIgnoringCase("content-md5") || name.equalsIgnoringCase("digest")
                || name.equalsIgnoringCase("content-digest")
                || name.equalsIgnoringCase("repr-digest")
        default: return false
        }
    }
}

extension CachedHead {
    private static let weakPrefix = Array("W/".utf8)

    /// Hands out a line of `bytes`, which begins at `start`. `weakening`: an ETag gets its `W/`, if it has none.
    func append(
        _ line: Span<UInt8>, at start: Int, weakening: Bool, to append: (Span<UInt8>) -> Void
    ) {
        guard weakening, let etag = etagRange, Int(etag.start) > start,
            Int(etag.start) < start + line.count
        else { return append(line) }
        let value = Int(etag.start) - start
        append(line.extracting(0..<value))
        if !line.extracting(value..<line.count).starts(with: "W/") {
            append(CachedHead.weakPrefix.span)
        }
        append(line.extracting(value..<line.count))
    }
}
