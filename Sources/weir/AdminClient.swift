import EventLoop
import HTTP1
import HTTPModel
import Primitives

/// Asks the admin address of a running process: one request, one answer.
struct AdminClient {
    private static let patience = Nanoseconds.seconds(10)
    private static let bodyMax = 16 << 20

    private let authority: String
    private let token: String?

    /// Reads the address: `http://127.0.0.1:9900`, or without the scheme.
    ///
    /// - Throws: What is wrong with it or with the token.
    init(_ url: String, token: String?) throws(Misuse) {
        var text = url[...]
        if text.hasPrefix("http://") { text = text.dropFirst(7) }
        if text.hasSuffix("/") { text = text.dropLast() }
        guard !text.isEmpty, !text.contains(where: { "/?#@ ".contains($0) }) else {
            throw Misuse("`\(url)` is not an admin address such as http://127.0.0.1:9900")
        }
        authority = String(text)
        guard token?.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) ?? true else {
            throw Misuse("a token is of printable ASCII without spaces")
        }
        self.token = token
    }

    /// The status and the body of the answer to a GET.
    func get(
        _ path: String, _ parameters: [(String, String)], on loop: EventLoop
    ) async throws(Misuse) -> (status: UInt16, body: String) {
        try await ask("GET", path, parameters, on: loop)
    }

    /// The status and the body of the answer. The parameters stand in the query.
    func ask(
        _ method: String, _ path: String, _ parameters: [(String, String)], on loop: EventLoop
    ) async throws(Misuse) -> (status: UInt16, body: String) {
        let deadline = loop.now + AdminClient.patience
        let stream: ByteStream
        do {
            stream = try await ByteStream.connect(
                to: try await place(loop, until: deadline), loop: loop, deadline: deadline)
        } catch let error as Misuse {
            throw error
        } catch {
            throw Misuse("cannot connect to \(authority)")
        }
        defer { stream.close() }
        let query = parameters.map { "\($0.0)=\(AdminClient.encode($0.1))" }.joined(separator: "&")
        let buffer = ByteBuffer(capacity: 4 << 10)
        buffer.append(
            text: "\(method) \(path)\(query.isEmpty ? "" : "?")\(query) HTTP/1.1\r\n"
                + "Host: \(authority)\r\n")
        if let token { buffer.append(text: "Authorization: Bearer \(token)\r\n") }
        buffer.append("Connection: close\r\n\r\n")
        do {
            try await stream.write(buffer, patience: AdminClient.patience)
            return try await read(stream, until: deadline)
        } catch let error as Misuse {
            throw error
        } catch {
            throw Misuse("\(authority) gave no answer that could be read")
        }
    }

    private func place(
        _ loop: EventLoop, until deadline: MonotonicTime
    ) async throws(Misuse) -> SocketAddress {
        if let address = SocketAddress(parsing: authority) { return address }
        guard let colon = authority.lastIndex(of: ":"),
            let port = UInt16(authority[authority.index(after: colon)...])
        else { throw Misuse("`\(authority)` has no port") }
        let name = String(authority[..<colon])
        guard let address = await loop.resolve(name, until: deadline).first else {
            throw Misuse("`\(name)` is not known")
        }
        return .tcp(address, port: port)
    }

    private func read(
        _ stream: ByteStream, until deadline: MonotonicTime
    ) async throws -> (status: UInt16, body: String) {
        let input = ByteBuffer(capacity: 16 << 10)
        var parser = ResponseParser(
            bounds: HeadBounds(headerBytes: 16 << 10, fields: 100, targetBytes: 1))
        var head = ResponseHead()
        while true {
            if let n = try parser.parse(input.readable, for: .get, into: &head) {
                input.consume(n)
                break
            }
            guard try await stream.read(into: input, until: deadline) > 0 else {
                throw Misuse("\(authority) closed without an answer")
            }
        }
        var decoder = BodyDecoder(head.framing)
        var body: [UInt8] = []
        while !decoder.isComplete {
            switch try decoder.next(input.readable) {
            case .data(let range, let consumed):
                body.append(input.readable.extracting(range.indices))
                input.consume(consumed)
                guard body.count <= AdminClient.bodyMax else {
                    throw Misuse("the answer of \(authority) is too long")
                }
            case .end(let consumed): input.consume(consumed)
            case .needsMore(let consumed):
                input.consume(consumed)
                guard try await stream.read(into: input, until: deadline) > 0 else {
                    throw Misuse("\(authority) closed inside its answer")
                }
            }
        }
        return (head.status.code, String(decoding: body, as: UTF8.self))
    }

    /// Percent-encodes all but the unreserved characters (RFC 3986 §2.3).
    static func encode(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            if ASCII.isAlpha(byte) || ASCII.isDigit(byte) || "-._~".utf8.contains(byte) {
                bytes.append(byte)
            } else {
                bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
