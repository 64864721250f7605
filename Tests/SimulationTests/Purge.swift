import Primitives
import Proxy

/// A purge that was carried out, and what it was to reach.
struct Purge: Sendable {
    let order: PurgeOrder
    let began: MonotonicTime
    let ended: MonotonicTime

    /// Whether the answer of `path` to `user` must not have been older.
    func means(path: String, user: String) -> Bool {
        switch order.target {
        case .url: order.value == "http://api.example.com\(path)"
        case .tag: path.hasPrefix("/\(order.value)/")
        case .prefix: path.hasPrefix(order.value)
        case .glob: path.hasPrefix(order.value.replacing("*", with: ""))
        case .user: path.hasPrefix("/mine/") && user == order.value
        case .group, .company, .all: false
        }
    }

    /// One of many ways to purge what a scenario's routes store. Never `/one`: a purge lets a second fetch begin
    /// beside one that runs.
    static func draw(from ledger: Ledger) -> PurgeOrder {
        let place = ledger.pick(["cached", "vary", "mine"])
        let isSoft = ledger.oneIn(4)
        switch ledger.below(5) {
        case 0:
            let url = "http://api.example.com/\(place)/\(ledger.below(2))"
            return PurgeOrder(.url, url, isSoft: isSoft)
        case 1: return PurgeOrder(.tag, place, isSoft: isSoft)
        case 2: return PurgeOrder(.prefix, "/\(place)/", isSoft: isSoft)
        case 3: return PurgeOrder(.glob, "/\(place)/*", isSoft: isSoft)
        default: return PurgeOrder(.user, "u\(ledger.below(3))", isSoft: isSoft)
        }
    }
}
