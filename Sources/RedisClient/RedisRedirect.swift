import RedisWire
import Settings

/// What a server of a cluster says about a command that is not for it, or not now.
enum RedisRedirect {
    /// The slot is another server's for good.
    case moved(slot: Int, RedisSettings.Place)
    /// The key is on another server already, while its slot moves.
    case ask(RedisSettings.Place)
    /// Some of the keys have moved already: later they all have.
    case later

    /// Reads `error`, which came from `place`; `nil` when it is no redirection.
    init?(_ error: RedisServerError, from place: RedisSettings.Place) {
        if error.kind == .tryAgain {
            self = .later
            return
        }
        guard error.kind == .moved || error.kind == .ask else { return nil }
        // `MOVED 3999 127.0.0.1:6381`: the last colon, since an IPv6 address has some of its own.
        let words = error.text.split(separator: " ")
        guard words.count == 3, let slot = Int(words[1]), 0..<RedisSlot.count ~= slot,
            let colon = words[2].lastIndex(of: ":"),
            let port = UInt16(words[2][words[2].index(after: colon)...])
        else { return nil }
        let next = RedisRedirect.place(String(words[2][..<colon]), port, from: place)
        self = error.kind == .moved ? .moved(slot: slot, next) : .ask(next)
    }

    /// A server that does not know its own address names its port alone: it is where it was asked.
    static func place(
        _ host: String, _ port: UInt16, from asked: RedisSettings.Place
    ) -> RedisSettings.Place {
        if host.isEmpty || host == "?", case .host(let same, _) = asked {
            return .host(same, port: port)
        }
        return .host(host, port: port)
    }
}
