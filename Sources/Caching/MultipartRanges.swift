public import Primitives

/// The body of a 206 with several parts, but for the parts' own bytes (RFC 9110 §14.6).
///
///     --1f…9c␍␊Content-Type: text/plain␍␊Content-Range: bytes 0-4/26␍␊␍␊abcde␍␊
///     --1f…9c␍␊Content-Type: text/plain␍␊Content-Range: bytes 21-25/26␍␊␍␊vwxyz␍␊
///     --1f…9c--␍␊
///
/// A class, so that who waits between parts keeps one word.
public final class MultipartRanges: Sendable {
    /// The parts.
    public let slices: BodySlices
    /// The length of this body in bytes.
    public let count: Int
    private let head: CachedHead
    private let type: ByteRange?
    private let boundary: Digest128

    /// Prepares the body for `slices` of the answer with `head`.
    ///
    /// - Parameters:
    ///   - slices: Two or more.
    ///   - head: The whole answer's head.
    ///   - boundary: 128 bits that nobody who wrote the answer could know.
    public init(_ slices: BodySlices, of head: CachedHead, boundary: Digest128) {
        self.slices = slices
        self.head = head
        self.boundary = boundary
        let name = [UInt8]("content-type".utf8)
        type = head.onlyValue(of: name.span)
        // `--boundary␍␊` and `␍␊` behind the bytes; the last line is `--boundary--␍␊`.
        var count = MultipartRanges.boundaryCount + 6
        for i in slices.indices {
            count += MultipartRanges.boundaryCount + 4 + 2 + 2
            if let type { count += 16 + Int(type.count) }
            count += "Content-Range: bytes -/\r\n".utf8.count
            count += MultipartRanges.digits(slices[i].start)
            count += MultipartRanges.digits(slices[i].end - 1)
            count += MultipartRanges.digits(Int(clamping: head.contentLength ?? 0))
            count += slices[i].count
        }
        self.count = count
    }

    /// Appends what stands before the bytes of the part at `index`.
    public func appendHead(of index: Int, to buffer: ByteBuffer) {
        buffer.append("--")
        appendBoundary(to: buffer)
        buffer.append("\r\n")
        if let type {
            let bytes = head.bytes
            buffer.append("Content-Type: ")
            buffer.append(bytes.span(type))
            buffer.append("\r\n")
        }
        CachedHead.appendContentRange(slices[index], of: head.contentLength, to: buffer)
        buffer.append("\r\n")
    }

    /// Appends what stands behind the bytes of each part.
    public func appendPartEnd(to buffer: ByteBuffer) { buffer.append("\r\n") }

    /// Appends what stands behind the last part.
    public func appendEnd(to buffer: ByteBuffer) {
        buffer.append("--")
        appendBoundary(to: buffer)
        buffer.append("--\r\n")
    }

    private static let boundaryCount = 32

    /// The boundary: 32 hexadecimal digits, so it needs no quotes.
    func appendBoundary(to buffer: ByteBuffer) {
        for word in [boundary.high, boundary.low] {
            for shift in stride(from: 60, through: 0, by: -4) {
                let digit = UInt8(truncatingIfNeeded: word >> UInt64(shift)) & 15
                buffer.append(digit < 10 ? digit + 48 : digit + 87)
            }
        }
    }

    private static func digits(_ number: Int) -> Int {
        var count = 1
        var rest = number / 10
        while rest > 0 {
            count += 1
            rest /= 10
        }
        return count
    }
}
