import HTTP1
import HTTPModel
public import Primitives

/// A request that somebody asks about: `weir explain`, the admin API.
public struct AskedRequest: Sendable, Equatable {
    /// What is wrong with a question.
    public struct Problem: Error, Sendable, Equatable {
        /// A sentence for people.
        public let text: String
    }

    /// The address at the other end of the connection.
    public let peer: IPAddress
    /// The head as a client would send it.
    let bytes: [UInt8]
    /// The request line's first two words.
    let line: String

    /// Writes the head of a request.
    ///
    /// - Parameters:
    ///   - line: `GET /path?query`; without a method it is a GET.
    ///   - fields: Lines `Name: value`; without Host it is `localhost`.
    ///   - peer: Who sends it.
    /// - Throws: `Problem` when these would not be one request: a space or control where none may be.
    public init(
        _ line: String, fields: [String] = [], peer: IPAddress = IPAddress(v4: 0x7F00_0001)
    ) throws(Problem) {
        let words = line.split(separator: " ")
        let (method, target): (Substring, Substring)
        switch words.count {
        case 1 where words[0].hasPrefix("/"): (method, target) = ("GET", words[0])
        case 2: (method, target) = (words[0], words[1])
        default:
            throw Problem(
                text: "a request is a method and a target, such as `GET /path`, not `\(line)`")
        }
        guard !method.isEmpty, method.utf8.allSatisfy(AskedRequest.isToken) else {
            throw Problem(text: "`\(method)` is not a method")
        }
        guard target.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F }) else {
            throw Problem(text: "a target has no spaces and no controls: percent-encode them")
        }
        var head = "\(method) \(target) HTTP/1.1\r\n"
        var hasHost = false
        for field in fields {
            let (name, value) = try AskedRequest.split(field)
            if name.lowercased() == "host" { hasHost = true }
            head += "\(name): \(value)\r\n"
        }
        if !hasHost { head += "Host: localhost\r\n" }
        bytes = Array((head + "\r\n").utf8)
        self.line = "\(method) \(target)"
        self.peer = peer
    }

    private static func split(_ field: String) throws(Problem) -> (Substring, String) {
        guard let colon = field.firstIndex(of: ":") else {
            throw Problem(text: "a header is `Name: value`, not `\(field)`")
        }
        let name = field[..<colon]
        guard !name.isEmpty, name.utf8.allSatisfy(isToken) else {
            throw Problem(text: "`\(name)` is not a header's name")
        }
        let value = Array(field[field.index(after: colon)...].utf8)
        guard value.allSatisfy({ ($0 >= 0x20 && $0 != 0x7F) || $0 == 9 }) else {
            throw Problem(text: "the value of `\(name)` has a control character in it")
        }
        return (name, value.span.trimmed.text)
    }

    /// `tchar` of RFC 9110 §5.6.2.
    private static func isToken(_ byte: UInt8) -> Bool {
        ASCII.isAlpha(byte) || ASCII.isDigit(byte) || "!#$%&'*+-.^_`|~".utf8.contains(byte)
    }
}
