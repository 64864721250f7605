import Glibc
import Primitives

/// The hit ratio of the store on made-up traffic, beside that of least recently used with the same budget and
/// the same cost of each answer.
func measureTraces(_ prefix: String) {
    let budget = 32 << 20
    for trace in Trace.all where trace.name.hasPrefix(prefix) {
        var shelf = Shelf(bytes: budget)
        var other = LeastRecentlyUsed(bytes: budget)
        var random = SeededRandom(seed: 11)
        var costs: [UInt64: Int] = [:]
        var (ours, theirs, counted) = (0, 0, 0)
        for step in 0..<trace.length {
            let number = trace.next(step, &random)
            // The first quarter fills them.
            let counts = step >= trace.length / 4
            if counts { counted += 1 }
            let cost: Int
            if shelf.has(number) {
                if counts { ours += 1 }
                cost = costs[number] ?? 0
            } else {
                cost = shelf.put(number, size: Trace.size(of: number))
                costs[number] = cost
            }
            if other.has(number) {
                if counts { theirs += 1 }
            } else {
                other.put(number, cost: cost)
            }
        }
        let ratio = 100 * Double(ours) / Double(counted)
        let lru = 100 * Double(theirs) / Double(counted)
        Report.say("hit ratio, \(trace.name): Weir", ratio, unit: "%")
        Report.say("hit ratio, \(trace.name): LRU", lru, unit: "%")
        Report.say(
            "hit ratio, \(trace.name): Weir less LRU", ratio - lru, unit: "points",
            least: trace.least)
    }
}

/// Requests for numbered things, drawn by a seed.
private struct Trace {
    let name: String
    let length: Int
    /// By how many points Weir must be better than LRU.
    let least: Double?
    let next: (Int, inout SeededRandom) -> UInt64

    /// 200 bytes to 32 KiB, most of them small, always the same for one thing.
    static func size(of number: UInt64) -> Int {
        var random = SeededRandom(seed: number)
        return 200 << random.below(random.below(3) == 0 ? 8 : 4)
    }

    static var all: [Trace] {
        let popular = Zipf(things: 100_000, skew: 0.9)
        return [
            Trace(name: "Zipf 0.9 over 100,000", length: 1_000_000, least: 0) { _, random in
                popular.draw(&random)
            },
            // A crawler walks through 20,000 things that nobody asks for again, every 50,000 requests.
            Trace(name: "Zipf 0.9 with scans", length: 1_000_000, least: 5) { step, random in
                step % 50_000 < 20_000
                    ? 1_000_000 + UInt64(step) : popular.draw(&random)
            },
            Trace(name: "Zipf 0.9, half asked for once", length: 1_000_000, least: 5) {
                step, random in
                random.below(2) == 0 ? 1_000_000 + UInt64(step) : popular.draw(&random)
            },
            Trace(name: "loop over twice the room", length: 500_000, least: 0) { step, _ in
                UInt64(step % 25_000)
            },
            // What is popular moves on by a tenth of the ranks every 100,000 requests.
            Trace(name: "Zipf 0.9 that moves on", length: 1_000_000, least: 0) { step, random in
                (popular.draw(&random) + UInt64(step / 100_000) * 10_000) % 100_000
            },
        ]
    }
}

/// Numbers below `things`, the n-th most popular one drawn in proportion to n^−skew.
private struct Zipf {
    private let sums: [Double]

    init(things: Int, skew: Double) {
        var sum = 0.0
        sums = (1...things).map { rank in
            sum += pow(Double(rank), -skew)
            return sum
        }
    }

    func draw(_ random: inout SeededRandom) -> UInt64 {
        let wanted = random.unit() * (sums.last ?? 1)
        var (low, high) = (0, sums.count - 1)
        while low < high {
            let middle = (low + high) / 2
            if sums[middle] < wanted { low = middle + 1 } else { high = middle }
        }
        return UInt64(low)
    }
}
