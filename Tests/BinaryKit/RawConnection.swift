/// One side of an HTTP/1.1 connection that reads and writes exactly what a scenario says.
package final class RawConnection: @unchecked Sendable {
    package let socket: RawSocket
    private var arrived: [UInt8] = []
    private var start = 0

    /// A message: its head, and the body when it has been read.
    package struct Message: Sendable, CustomStringConvertible {
        package var startLine: String
        package var fields: [(name: String, value: String)]
        package var body: [UInt8] = []
        package var trailers: [(name: String, value: String)] = []

        /// The value of the field `name`, its lines joined; `nil` when there is none.
        package subscript(name: String) -> String? {
            let values = fields.filter { $0.name == name.lowercased() }.map(\.value)
            return values.isEmpty ? nil : values.joined(separator: ", ")
        }

        /// A response's status.
        package var status: Int {
            Int(startLine.split(separator: " ").dropFirst().first ?? "") ?? 0
        }
        /// A request's method and target.
        package var method: String { String(startLine.split(separator: " ").first ?? "") }
        package var target: String {
            String(startLine.split(separator: " ").dropFirst().first ?? "")
        }
        package var text: String { String(decoding: body, as: UTF8.self) }

        package var description: String {
            ([startLine] + fields.map { "\($0.name): \($0.value)" }).joined(separator: "\n")
                + "\n\n\(text.prefix(400))"
        }
    }

    package init(_ socket: RawSocket) { self.socket = socket }

    package convenience init(to place: Place, receiveBuffer: Int32? = nil) throws {
        self.init(try RawSocket(to: place, receiveBuffer: receiveBuffer))
    }

    // MARK: Writing

    package func send(_ text: String) throws { try socket.write(Array(text.utf8)) }
    package func send(_ bytes: [UInt8]) throws { try socket.write(bytes) }

    /// Sends one chunk of a chunked body; an empty one ends it.
    package func sendChunk(_ bytes: [UInt8]) throws {
        try send(Array("\(String(bytes.count, radix: 16))\r\n".utf8) + bytes + Array("\r\n".utf8))
    }

    // MARK: Reading

    /// Reads more; `false` at the end.
    private func fill() throws -> Bool {
        if start == arrived.count {
            arrived = try socket.read()
            start = 0
            return !arrived.isEmpty
        }
        let more = try socket.read()
        arrived.removeFirst(start)
        start = 0
        arrived += more
        return !more.isEmpty
    }

    /// One line without its end; `nil` when the connection ends before it begins.
    package func readLine() throws -> String? {
        while true {
            if let end = arrived[start...].firstIndex(of: 10) {
                defer { start = end + 1 }
                let line = arrived[start..<end]
                return String(decoding: line.last == 13 ? line.dropLast() : line, as: UTF8.self)
            }
            guard try fill() else {
                if start < arrived.count { throw Failure("the connection ended inside a line") }
                return nil
            }
        }
    }

    /// The head of a message; `nil` when the connection ends before it begins.
    package func readHead() throws -> Message? {
        guard let startLine = try readLine() else { return nil }
        return Message(startLine: startLine, fields: try readFields())
    }

    private func readFields() throws -> [(name: String, value: String)] {
        var fields: [(name: String, value: String)] = []
        while true {
            guard let line = try readLine() else {
                throw Failure("the connection ended inside a head")
            }
            if line.isEmpty { return fields }
            let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else { throw Failure("`\(line)` is no field") }
            fields.append((parts[0].lowercased(), parts[1].trimmingSpaces))
        }
    }

    /// Exactly `count` bytes.
    package func readExactly(_ count: Int) throws -> [UInt8] {
        while arrived.count - start < count {
            guard try fill() else { throw Failure("the connection ended inside a body") }
        }
        defer { start += count }
        return Array(arrived[start..<start + count])
    }

    /// What has come, or comes next; empty at the end.
    package func readSome() throws -> [UInt8] {
        if start < arrived.count {
            defer { start = arrived.count }
            return Array(arrived[start...])
        }
        return try socket.read()
    }

    /// All until the end of the connection.
    package func readToEnd() throws -> [UInt8] {
        var all: [UInt8] = []
        while true {
            let part = try readSome()
            if part.isEmpty { return all }
            all += part
        }
    }

    /// The next chunk of a chunked body; empty for the last one, whose trailers are returned too.
    package func readChunk() throws -> (bytes: [UInt8], trailers: [(name: String, value: String)]) {
        guard let line = try readLine(), let size = Int(line.prefix { $0 != ";" }, radix: 16) else {
            throw Failure("no chunk size")
        }
        if size == 0 { return ([], try readFields()) }
        let bytes = try readExactly(size)
        guard try readLine() == "" else { throw Failure("no line end after a chunk") }
        return (bytes, [])
    }

    /// The body that follows `head`; `endsWithConnection` for a response without a length.
    package func readBody(of head: inout Message, endsWithConnection: Bool) throws {
        if head["transfer-encoding"]?.lowercased() == "chunked" {
            while true {
                let (bytes, trailers) = try readChunk()
                if bytes.isEmpty {
                    head.trailers = trailers
                    return
                }
                head.body += bytes
            }
        }
        if let length = head["content-length"].flatMap({ Int($0) }) {
            head.body = try readExactly(length)
        } else if endsWithConnection {
            head.body = try readToEnd()
        }
    }

    /// A whole final response; interim ones are skipped. `toHead`: it answers HEAD.
    package func readResponse(toHead: Bool = false) throws -> Message {
        while true {
            guard var head = try readHead() else {
                throw Failure("the connection ended without an answer")
            }
            if (100..<200).contains(head.status) { continue }
            if !toHead && head.status != 204 && head.status != 304 {
                try readBody(of: &head, endsWithConnection: true)
            }
            return head
        }
    }

    /// A whole request; `nil` when the connection ends.
    package func readRequest() throws -> Message? {
        guard var head = try readHead() else { return nil }
        try readBody(of: &head, endsWithConnection: false)
        return head
    }

    /// Sends `text` and reads the answer to it.
    package func ask(_ text: String) throws -> Message {
        try send(text)
        return try readResponse(toHead: text.hasPrefix("HEAD"))
    }

    /// Waits until the peer has closed, or reset, the connection; what still came is dropped.
    package func awaitClose(within bound: Duration = patience) throws {
        socket.bound(bound)
        do {
            _ = try readToEnd()
        } catch is RawSocket.TimedOut {
            throw Failure("the connection was not closed within \(bound)")
        } catch is RawSocket.Reset {
        }
    }
}

extension Substring {
    fileprivate var trimmingSpaces: String {
        var text = self
        while let first = text.first, first == " " || first == "\t" { text.removeFirst() }
        while let last = text.last, last == " " || last == "\t" { text.removeLast() }
        return String(text)
    }
}
