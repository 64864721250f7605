import Caching
import HTTPModel
import Primitives
import Testing

/// How many leaders each path has.
private final class Running: Sendable {
    private let counts = Guarded<[String: Int]>([:])

    func begin(_ path: String) -> Int {
        counts.withLock { counts in
            counts[path, default: 0] += 1
            return counts[path] ?? 0
        }
    }

    func end(_ path: String) { counts.withLock { $0[path, default: 0] -= 1 } }
}

@Suite struct MemoryStoreModelTests {
    @Test(arguments: 0..<12)
    func `a random life keeps the budget and never gives another key's or variant's answer`(
        seed: UInt64
    ) {
        var random = SeededRandom(seed: seed)
        let budget = 200_000
        let store = MemoryStore(bytes: budget, seed: .init(seed, 3))
        // What each key and variant last got.
        var latest: [String: String] = [:]
        var serial = 0
        for step in 0..<2500 {
            let path = "/\(random.below(400))"
            let accept = random.below(4)
            let ask = request(path, accept == 0 ? [] : [("Accept", "\(accept)")])
            let identity = "\(path) \(accept)"
            switch random.below(20) {
            case 0..<8:
                serial += 1
                let size = random.below(random.below(10) == 0 ? 30_000 : 600)
                let body = "\(identity) \(serial) " + String(repeating: "x", count: size)
                let entry = stored(
                    ask, [("Cache-Control", "max-age=60"), ("Vary", "accept")], body: body,
                    times: times(Double(step)))
                if store.insert(entry) { latest[identity] = body }
            case 8..<19:
                guard let found = find(store, ask) else { continue }
                #expect(body(found) == latest[identity])
            default:
                remove(store, ask)
                for other in 0..<4 { latest["\(path) \(other)"] = nil }
                #expect(find(store, ask) == nil)
            }
            guard step % 10 == 0 else { continue }
            let counts = store.statistics()
            #expect(counts.bytes <= budget && counts.bytes >= 0)
            #expect(counts.entries == Int(counts.insertions - counts.removals))
        }
        #expect(store.statistics().evictions > 0)
    }

    @Test func `bytes are those of the entries, to the last one`() {
        let store = MemoryStore(bytes: 64 << 20, seed: .init(4, 5))
        var random = SeededRandom(seed: 11)
        var entries: [String: StoredResponse] = [:]
        for step in 0..<2000 {
            let path = "/\(random.below(300))"
            let entry = stored(
                request(path), body: String(repeating: "b", count: random.below(9000)),
                times: times(Double(step)))
            store.insert(entry)
            entries[path] = entry
            if step % 7 == 0 {
                let victim = "/\(random.below(300))"
                remove(store, request(victim))
                entries[victim] = nil
            }
            if step % 50 == 0 {
                #expect(store.statistics().bytes == entries.values.reduce(0) { $0 + $1.byteCost })
                #expect(store.statistics().entries == entries.count)
            }
        }
        for path in entries.keys { remove(store, request(path)) }
        #expect(store.statistics().bytes == 0)
        #expect(store.statistics().entries == 0)
    }

    @Test func `an entry costs at least the bytes it holds`() {
        for size in [0, 1, 1000, 100_000] {
            let entry = stored(request(), body: String(repeating: "x", count: size))
            let held = entry.head.bytes.count + entry.head.key.count + size
            #expect(entry.byteCost >= held + 200)
            #expect(entry.byteCost < held + 1200)
        }
    }

    @Test func `the variants of one key are bounded`() {
        let store = MemoryStore(bytes: 1 << 20, seed: .init(1, 2))
        for i in 0..<100 {
            store.insert(
                stored(
                    request("/", [("A", "\(i)")]), [("Cache-Control", "max-age=9"), ("Vary", "a")],
                    times: times(Double(i))))
        }
        #expect(store.statistics().entries == CacheBounds.variantsPerKey)
        let last = request("/", [("A", "99")])
        #expect(find(store, last) != nil)
    }

    @Test func `many threads: one leader at a time for a key, and never another key's body`() async
    {
        let store = MemoryStore(bytes: 8 << 20, seed: .init(8, 9))
        let running = Running()
        await withTaskGroup(of: Void.self) { group in
            for task in 0..<8 {
                group.addTask {
                    var random = SeededRandom(seed: UInt64(task))
                    var policy = CachePolicy()
                    policy.earlyRefresh = .off
                    let rules = CacheRules(policy)
                    for round in 0..<1500 {
                        let path = "/\(random.below(20))"
                        let ask = request(path)
                        let key = key(ask)
                        let now = Double(round) / 100
                        let result = store.lookupOrJoin(
                            key: key.span, request: ask, rules: rules, now: at(now), random: &random
                        )
                        switch result {
                        case .hit(let stored):
                            let isRight = body(stored) == path
                            #expect(isRight)
                        case .lead(let lead):
                            #expect(running.begin(path) == 1)
                            await Task.yield()
                            let answer = response(200, [("Cache-Control", "max-age=1")])
                            lead.fill.publish(cachedHead(ask, answer, times: times(now)))
                            _ = lead.fill.append(bytes(path))
                            // Before the end: who comes after it may lead again.
                            running.end(path)
                            lead.fill.finish(at: at(now))
                        case .follow(let fill, let reader):
                            fill.leave(reader)
                        default:
                            Issue.record("unexpected \(name(result))")
                        }
                    }
                }
            }
        }
        #expect(store.statistics().fills == 0)
        #expect(store.statistics().bytes <= 8 << 20)
    }

    // MARK: Eviction

    /// A cache of `capacity` entries that drops what was not used for longest.
    private struct LeastRecentlyUsed {
        let capacity: Int
        private var stamps: [Int: Int] = [:]
        private var order: [Int: Int] = [:]
        private var clock = 0
        private var oldest = 0

        init(capacity: Int) { self.capacity = capacity }

        mutating func access(_ key: Int) -> Bool {
            clock += 1
            let isHit = stamps[key] != nil
            if let old = stamps[key] { order[old] = nil }
            stamps[key] = clock
            order[clock] = key
            while stamps.count > capacity {
                oldest += 1
                if let victim = order.removeValue(forKey: oldest) { stamps[victim] = nil }
            }
            return isHit
        }
    }

    /// Keys with a Zipf-like popularity, and every so often a scan over keys that come once.
    private func trace(scans: Bool) -> [Int] {
        var random = SeededRandom(seed: 12)
        let universe = 5000
        var sums: [Double] = []
        var sum = 0.0
        for rank in 1...universe {
            sum += 1 / Double(rank)
            sums.append(sum)
        }
        var keys: [Int] = []
        var next = universe
        while keys.count < 40_000 {
            if scans && random.below(400) == 0 {
                for _ in 0..<300 {
                    keys.append(next)
                    next += 1
                }
            }
            let target = random.unit() * sum
            var (low, high) = (0, universe - 1)
            while low < high {
                let middle = (low + high) / 2
                if sums[middle] < target { low = middle + 1 } else { high = middle }
            }
            keys.append(low)
        }
        return keys
    }

    @Test(arguments: [(false, 0.0), (true, 0.05)])
    func `A8: S3-FIFO hits at least as often as LRU, and more often under scans`(
        scans: Bool, margin: Double
    ) {
        let cost = stored(request("/10000"), body: "").byteCost
        let capacity = 300
        let store = MemoryStore(bytes: cost * capacity + 512, seed: .init(6, 7))
        var lru = LeastRecentlyUsed(capacity: capacity)
        let keys = trace(scans: scans)
        var (hits, lruHits) = (0, 0)
        for number in keys {
            let ask = request("/\(10_000 + number)")
            if find(store, ask) != nil {
                hits += 1
            } else {
                store.insert(stored(ask, body: ""))
            }
            if lru.access(number) { lruHits += 1 }
        }
        let ratio = Double(hits) / Double(keys.count)
        let other = Double(lruHits) / Double(keys.count)
        #expect(ratio >= other + margin, "S3-FIFO \(ratio), LRU \(other)")
    }
}
