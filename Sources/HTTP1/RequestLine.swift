import HTTPModel
import Primitives

/// Where the parts of a request line stand (RFC 9112 §3).
struct RequestLine {
    let method: Method
    let methodRange: ByteRange
    let target: Range<Int>
    let version: HTTPVersion

    /// Reads the first line of a scanned head, which ends at `lineEnd`.
    ///
    /// Single spaces part it: the version is the last eight bytes, and a space in the target is found
    /// when the target is read. A method in small letters is refused, because an origin might take `get`
    /// for GET where this proxy's routes and limits do not.
    init(_ head: Span<UInt8>, end lineEnd: Int) throws(RequestError) {
        let i: Int
        if lineEnd >= 8 && UInt32(truncatingIfNeeded: head.littleEndianWord(at: 0)) == getAndSpace {
            i = 3
            method = .get
        } else {
            i = head.firstIndex(of: ASCII.space, from: 0, to: lineEnd)
            method = Method(head.extracting(0..<i))
        }
        guard i > 0 && i < lineEnd && (method != .other || RequestLine.isMethod(head, to: i))
        else { throw .malformedMethod }
        methodRange = ByteRange(start: 0, count: i)
        // After the method at least ` / HTTP/1.1`.
        guard lineEnd - i >= 11 && head[lineEnd - 9] == ASCII.space else {
            throw .malformedRequestLine
        }
        version = try RequestLine.version(head, at: lineEnd - 8)
        guard i <= Bounds.methodBytes else { throw .methodTooLong }
        target = (i + 1)..<(lineEnd - 9)
    }

    /// Whether the bytes before `end` are a token without small letters.
    private static func isMethod(_ head: Span<UInt8>, to end: Int) -> Bool {
        for i in 0..<end where !ASCII.isToken(head[i]) || head[i] &- 97 < 26 { return false }
        return true
    }

    private static func version(
        _ head: Span<UInt8>, at index: Int
    ) throws(RequestError) -> HTTPVersion {
        switch head.littleEndianWord(at: index) {
        case VersionWord.http11: return .http11
        case VersionWord.http10: return .http10
        default:
            let text = head.extracting(index..<(index + 8))
            let isVersion =
                text.starts(with: "HTTP/") && ASCII.isDigit(text[5]) && text[6] == 0x2E
                && ASCII.isDigit(text[7])
            throw isVersion ? .unsupportedVersion : .malformedRequestLine
        }
    }
}

/// `GET ` as a word, the first letter least significant: most requests begin with it.
private let getAndSpace: UInt32 = 0x2054_4547

/// The eight bytes of a version as a word, the first one least significant.
enum VersionWord {
    /// `HTTP/1.1`
    static let http11: UInt64 = 0x312E_312F_5054_5448
    /// `HTTP/1.0`
    static let http10: UInt64 = 0x302E_312F_5054_5448
}
