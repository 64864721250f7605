/// A Lua script and the name by which a server remembers it.
public struct RedisScript: Sendable, Equatable {
    /// Its text.
    public let text: [UInt8]
    /// The SHA-1 digest of its text in 40 hexadecimal digits, for EVALSHA.
    public let digest: [UInt8]

    /// Names the script of `text`; made once, not for each call.
    public init(_ text: String) {
        self.text = Array(text.utf8)
        digest = SHA1.hexadecimal(of: self.text)
    }

    /// The call by name, which a server that does not know the script answers with NOSCRIPT.
    public func callByName(keys: [[UInt8]], arguments: [[UInt8]]) -> RedisCommand {
        command(byName: true, keys, arguments)
    }

    /// The call with its text, by which the server learns it.
    public func callByText(keys: [[UInt8]], arguments: [[UInt8]]) -> RedisCommand {
        command(byName: false, keys, arguments)
    }

    /// Begins a call, to which as many keys and then the arguments are to be added.
    ///
    /// - Parameters:
    ///   - byName: Whether by name; otherwise with the text.
    ///   - keys: The number of keys.
    ///   - size: The bytes of keys and arguments; room is made for them and what stands between them.
    /// - Returns: The call without keys and arguments.
    public func begin(byName: Bool, keys: Int, reserving size: Int) -> RedisCommand {
        let script = byName ? digest : text
        var command = RedisCommand(
            byName ? "EVALSHA" : "EVAL", reserving: script.count + size + 64)
        command.append(script)
        command.append(Int64(keys))
        return command
    }

    private func command(
        byName: Bool, _ keys: [[UInt8]], _ arguments: [[UInt8]]
    ) -> RedisCommand {
        let size = keys.reduce(arguments.reduce(0) { $0 + $1.count + 12 }) { $0 + $1.count + 12 }
        var command = begin(byName: byName, keys: keys.count, reserving: size)
        for key in keys { command.append(key: key) }
        for argument in arguments { command.append(argument) }
        return command
    }
}
