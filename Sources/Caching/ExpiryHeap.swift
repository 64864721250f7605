import Primitives

/// Keys by the time they expire, the earliest first: a binary heap in an array.
///
///     [ 3s ][ 5s ][ 4s ][ 9s ]      children of i stand at 2i + 1 and 2i + 2
struct ExpiryHeap: Sendable {
    struct Item: Sendable {
        let expires: MonotonicTime
        let key: [UInt8]
    }

    private var items: [Item] = []

    mutating func insert(_ key: [UInt8], expires: MonotonicTime) {
        items.append(Item(expires: expires, key: key))
        var i = items.count - 1
        while i > 0, items[i].expires < items[(i - 1) / 2].expires {
            items.swapAt(i, (i - 1) / 2)
            i = (i - 1) / 2
        }
    }

    /// Takes the earliest key out, if it has expired at `now`.
    mutating func popExpired(at now: MonotonicTime) -> [UInt8]? {
        guard let first = items.first, first.expires <= now else { return nil }
        items.swapAt(0, items.count - 1)
        items.removeLast()
        var i = 0
        while true {
            var least = i
            for child in [2 * i + 1, 2 * i + 2]
            where child < items.count && items[child].expires < items[least].expires {
                least = child
            }
            if least == i { return first.key }
            items.swapAt(i, least)
            i = least
        }
    }
}
