/// A connection to a Redis that sends any bytes and reads any answer: for what `redis-cli` cannot say.
package final class RedisTalk {
    /// An answer.
    package enum Answer: Equatable, Sendable {
        case bytes([UInt8])
        case status(String)
        case integer(Int)
        case nothing
        case error(String)
        case list([Answer])
    }

    private let connection: RawConnection

    /// Connects to `server`.
    package init(_ server: RedisServer) throws {
        connection = try RawConnection(to: server.place)
    }

    /// Sends a command and reads its answer.
    @discardableResult
    package func ask(_ words: [[UInt8]]) throws -> Answer {
        var bytes = Array("*\(words.count)\r\n".utf8)
        for word in words { bytes += Array("$\(word.count)\r\n".utf8) + word + [13, 10] }
        try connection.send(bytes)
        return try read()
    }

    /// The same in words.
    @discardableResult
    package func ask(_ words: String...) throws -> Answer {
        try ask(words.map { Array($0.utf8) })
    }

    private func read() throws -> Answer {
        guard let line = try connection.readLine(), let kind = line.first else {
            throw Failure("Redis closed the connection")
        }
        let rest = String(line.dropFirst())
        let number = Int(rest) ?? 0
        switch kind {
        case "+": return .status(rest)
        case "-": return .error(rest)
        case ":": return .integer(number)
        case "$":
            if number < 0 { return .nothing }
            let bytes = try connection.readExactly(number)
            _ = try connection.readExactly(2)
            return .bytes(bytes)
        case "*":
            if number < 0 { return .nothing }
            return .list(try (0..<number).map { _ in try read() })
        default: throw Failure("`\(line)` is no answer of Redis")
        }
    }
}
