/// A request or response as a scripted peer has read it, byte for byte.
public struct SimulatedMessage: Sendable {
    /// The first line, without its end.
    public var startLine = ""
    /// The fields in order, values without surrounding white space.
    public var fields: [(name: String, value: String)] = []
    /// The content, after the chunked coding.
    public var body: [UInt8] = []
    /// Fields after a chunked body.
    public var trailers: [(name: String, value: String)] = []
    /// Sizes of the chunks, when the body came so.
    public var chunks: [Int] = []

    /// The status of a response, 0 for a request.
    public var status: Int {
        let words = startLine.split(separator: " ")
        return startLine.hasPrefix("HTTP/") && words.count > 1 ? Int(words[1]) ?? 0 : 0
    }
    /// The first word: the method of a request.
    public var method: String { String(startLine.prefix { $0 != " " }) }
    /// The second word of a request: its target.
    public var target: String {
        let words = startLine.split(separator: " ")
        return words.count > 1 ? String(words[1]) : ""
    }
    /// The content as text.
    public var text: String { String(decoding: body, as: UTF8.self) }

    /// The value of the first field called `name` in any case.
    public subscript(name: String) -> String? { all(name).first }

    /// The values of all fields called `name` in any case.
    public func all(_ name: String) -> [String] {
        fields.filter { $0.name.lowercased() == name.lowercased() }.map(\.value)
    }

    static func parseFields(_ lines: [Substring]) throws -> [(name: String, value: String)] {
        try lines.map { line in
            guard let colon = line.firstIndex(of: ":") else {
                throw PeerFailure("a field without a colon: \(line)")
            }
            let value = line[line.index(after: colon)...]
            let trimmed = value.drop { $0 == " " || $0 == "\t" }
            let end = trimmed.lastIndex { $0 != " " && $0 != "\t" }
            let kept = end.map { trimmed[...$0] } ?? ""
            return (String(line[..<colon]), String(kept))
        }
    }
}

extension SimulatedPeer {
    /// Reads a request with its body. Fails at the end of the connection.
    public func readRequest() async throws -> SimulatedMessage {
        var message = try await readHead()
        try await readBody(of: &message)
        return message
    }

    /// Reads a request with its body; `nil` when the connection ends before its first byte.
    public func nextRequest() async throws -> SimulatedMessage? {
        if pending.isEmpty {
            guard try await fill() else { return nil }
        }
        return try await readRequest()
    }

    /// Reads a response with its body: by chunks, by length or up to the end. Interim ones (1xx)
    /// are returned, too.
    /// After a request of HEAD (`toHead`) no body comes.
    public func readResponse(toHead: Bool = false) async throws -> SimulatedMessage {
        var message = try await readHead()
        let status = message.status
        try require(status >= 100, "no status line: \(message.startLine)")
        let isEmpty = toHead || status < 200 || status == 204 || status == 304
        if !isEmpty { try await readBody(&message, untilEnd: true) }
        return message
    }

    /// Reads only the first line and the fields.
    public func readHead() async throws -> SimulatedMessage {
        let text = try await read(until: "\r\n\r\n").dropLast(1)
        // "\r\n" is one Character.
        let lines = text.split(separator: "\r\n", omittingEmptySubsequences: true)
        var message = SimulatedMessage()
        message.startLine = lines.first.map(String.init) ?? ""
        message.fields = try SimulatedMessage.parseFields(Array(lines.dropFirst()))
        return message
    }

    /// Reads the body of a request whose head has been read, into `message`.
    public func readBody(of message: inout SimulatedMessage) async throws {
        try await readBody(&message, untilEnd: false)
    }

    private func readBody(_ message: inout SimulatedMessage, untilEnd: Bool) async throws {
        if let coding = message["transfer-encoding"] {
            try require(coding.lowercased() == "chunked", "an unknown coding: \(coding)")
            try require(message["content-length"] == nil, "both ways to frame a body")
            try await readChunks(&message)
        } else if let length = message["content-length"] {
            guard message.all("content-length").count == 1, let count = Int(length) else {
                throw PeerFailure("a bad Content-Length: \(message.all("content-length"))")
            }
            message.body = try await read(count: count)
        } else if untilEnd {
            message.body = try await readAll()
        }
    }

    private func readChunks(_ message: inout SimulatedMessage) async throws {
        while true {
            let line = try await read(until: "\r\n").dropLast(1)
            let digits = line.prefix { $0 != ";" }
            guard let size = Int(digits, radix: 16) else {
                throw PeerFailure("a bad chunk size: \(line)")
            }
            if size == 0 { break }
            message.chunks.append(size)
            message.body += try await read(count: size)
            let end = try await read(count: 2)
            try require(end == [13, 10], "a chunk without its end")
        }
        while true {
            let line = try await read(until: "\r\n").dropLast(1)
            if line.isEmpty { return }
            message.trailers += try SimulatedMessage.parseFields([line])
        }
    }
}
