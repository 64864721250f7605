import RedisWire

/// A call of a script as an object that is used again: what it asks is there for as long as it may have to be asked once
/// more, and nothing is made anew for each call but the command.
class ScriptCall {
    /// The command: by the script's name, or with its text for a server that does not know the name.
    func command(byName: Bool) -> RedisCommand {
        preconditionFailure("a call without a script")
    }

    /// Learns of the result, once for each call.
    func end(_ result: RedisResult) {
        preconditionFailure("a call that nobody waits for")
    }
}
