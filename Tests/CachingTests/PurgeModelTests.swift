import Caching
import HTTPModel
import Primitives
import Synchronization
import Testing

/// A cache that remembers all purges and compares each answer with each of them, each time.
private struct SlowStore {
    struct Entry {
        var body: String
        var path: String
        var user: String?
        var tags: [String]
        var requested: Double
    }

    struct Purge {
        var kind: PurgeRecord.Kind
        var value: String
        var isSoft: Bool
        var time: Double

        func means(_ entry: Entry) -> Bool {
            switch kind {
            case .key: value == "{GET}:example.com:\(entry.path)"
            case .tag: entry.tags.contains(value)
            case .group: false
            case .prefix: entry.path.hasPrefix(value)
            case .glob: value == "/*/\(entry.path.split(separator: "/").last ?? "")"
            case .user: entry.user == value
            case .company: false
            case .all: true
            }
        }
    }

    var entries: [String: Entry] = [:]
    var purges: [Purge] = []

    private func purges(of entry: Entry) -> [Purge] {
        purges.filter { $0.time >= entry.requested && $0.means(entry) }
    }

    mutating func insert(_ entry: Entry) {
        let name = "\(entry.path) \(entry.user ?? "")"
        if let old = living(name), old.requested > entry.requested { return }
        guard purges(of: entry).allSatisfy(\.isSoft) else { return }
        entries[name] = entry
    }

    func living(_ name: String) -> Entry? {
        guard let entry = entries[name], purges(of: entry).allSatisfy(\.isSoft) else { return nil }
        return entry
    }

    /// When it turns stale.
    func staleFrom(_ entry: Entry, lifetime: Double) -> Double {
        let soft = purges(of: entry).map(\.time).min() ?? .infinity
        return min(soft, entry.requested + lifetime)
    }
}

/// A clock that all threads share, and when each key was last purged.
private final class Order: Sendable {
    private let clock = Atomic<UInt64>(start.nanoseconds)
    let floors = Guarded<[MonotonicTime]>(Array(repeating: start, count: 8))

    func tick() -> MonotonicTime {
        MonotonicTime(nanoseconds: clock.add(1, ordering: .sequentiallyConsistent).newValue)
    }
}

@Suite struct PurgeModelTests {
    @Test(arguments: 0..<12)
    func `random purges, fetches and expiries: what is served is what comparing everything says`(
        seed: UInt64
    ) throws {
        var random = SeededRandom(seed: seed)
        let store = MemoryStore(bytes: 256 << 20, seed: .init(seed, 3))
        var policies = [CachePolicy(), CachePolicy()]
        for i in 0..<2 { policies[i].earlyRefresh = .off }
        policies[1].varyBy = [.user]
        var model = SlowStore()
        var running: [(lead: FillLead, entry: SlowStore.Entry)] = []
        var serial = 0
        let lifetime = 3.0
        for step in 0..<2000 {
            let now = Double(step / 3) / 64
            let path = "/\(["a", "b"][random.below(2)])/\(random.below(6))"
            let user = random.below(2) == 0 ? nil : "\(random.below(4))"
            let ask = request(path)
            let policy = policies[user == nil ? 0 : 1]
            let key = key(ask, policy, user: user)
            switch random.below(40) {
            case 0..<24:
                let found = store.lookupOrJoin(
                    key: key.span, request: ask, rules: CacheRules(policy), now: at(now),
                    random: &random)
                let expected = model.living("\(path) \(user ?? "")")
                switch found {
                case .hit(let stored):
                    #expect(body(stored) == expected?.body)
                    let end = try model.staleFrom(#require(expected), lifetime: lifetime)
                    #expect(now < end)
                    let ttl = stored.freshness(at: at(now))
                    #expect(ttl == .fresh(ttl: at(end) - at(now)), "\(ttl)")
                case .lead(let lead):
                    if let expected {
                        #expect(lead.stored.map(body) == expected.body)
                        #expect(now >= model.staleFrom(expected, lifetime: lifetime))
                    } else {
                        #expect(lead.stored == nil)
                    }
                    serial += 1
                    running.append(
                        (
                            lead,
                            SlowStore.Entry(
                                body: "\(serial)", path: path, user: user,
                                tags: (0..<random.below(3)).map { _ in "t\(random.below(4))" },
                                requested: now)
                        ))
                case .follow(let fill, let reader):
                    fill.leave(reader)
                    // Nobody joins what was begun before a purge that means it.
                    let mine = try #require(running.first { $0.lead.fill === fill })
                    #expect(
                        !model.purges.contains {
                            $0.time >= mine.entry.requested && $0.means(mine.entry)
                        })
                default: Issue.record("unexpected \(name(found))")
                }
            case 24..<34:
                guard !running.isEmpty else { continue }
                let (lead, entry) = running.remove(at: random.below(running.count))
                let policy = policies[entry.user == nil ? 0 : 1]
                let answer = response(
                    200,
                    [
                        ("Cache-Control", "max-age=3"), ("ETag", "\"e\""),
                        ("Surrogate-Key", entry.tags.joined(separator: " ")),
                    ])
                lead.fill.publish(
                    cachedHead(
                        request(entry.path), answer, policy: policy, user: entry.user,
                        times: times(entry.requested)))
                _ = lead.fill.append(bytes(entry.body))
                lead.fill.finish(at: at(now))
                model.insert(entry)
            case 34..<37:
                let (kind, value): (PurgeRecord.Kind, String) =
                    switch random.below(12) {
                    case 0..<5: (.tag, "t\(random.below(4))")
                    case 5, 6: (.prefix, ["/a", "/b/1"][random.below(2)])
                    case 7: (.glob, "/*/\(random.below(6))")
                    case 8: (.user, "\(random.below(4))")
                    case 9, 10: (.key, "{GET}:example.com:\(path)")
                    default: (.all, "")
                    }
                let isSoft = random.below(2) == 0
                store.purge(
                    PurgeRecord(
                        id: random.next(), kind: kind, value: bytes(value), isSoft: isSoft,
                        time: clock(now).wall), at: at(now))
                model.purges.append(
                    SlowStore.Purge(kind: kind, value: value, isSoft: isSoft, time: now))
            default:
                guard var sweep = store.beginSweep() else { continue }
                for _ in 0..<200 where sweep.step() == .done { break }
                sweep.stop()
            }
        }
        for (lead, _) in running { lead.fill.fail(.abandoned, at: at(100)) }
        if var sweep = store.beginSweep() { while sweep.step() != .done {} }
        #expect(store.statistics().purgeRecords == 0)
    }

    @Test func `many threads: no answer that was asked for before a purge is given after it`() async
    {
        let store = MemoryStore(bytes: 64 << 20, seed: .init(8, 9))
        let order = Order()
        await withTaskGroup(of: Void.self) { group in
            for task in 0..<6 {
                group.addTask {
                    var random = SeededRandom(seed: UInt64(task))
                    var policy = CachePolicy()
                    policy.earlyRefresh = .off
                    let rules = CacheRules(policy)
                    for _ in 0..<1500 {
                        let number = random.below(8)
                        if task < 2 && random.below(4) == 0 {
                            let now = order.tick()
                            let isTag = random.below(2) == 0
                            store.purge(
                                PurgeRecord(
                                    id: 0, kind: isTag ? .tag : .glob,
                                    value: bytes(isTag ? "t\(number)" : "/\(number)"),
                                    isSoft: false, time: WallTime(nanoseconds: 0)), at: now)
                            order.floors.withLock { $0[number] = max($0[number], now) }
                            if var sweep = store.beginSweep() {
                                while sweep.step() == .more {}
                                sweep.stop()
                            }
                            continue
                        }
                        let floor = order.floors.withLock { $0[number] }
                        let ask = request("/\(number)")
                        let key = key(ask)
                        switch store.lookupOrJoin(
                            key: key.span, request: ask, rules: rules, now: order.tick(),
                            random: &random)
                        {
                        case .hit(let stored):
                            let isNew = stored.head.requested > floor
                            #expect(isNew)
                        case .follow(let fill, let reader):
                            let isNew = fill.started > floor
                            #expect(isNew)
                            fill.leave(reader)
                        case .lead(let lead):
                            let requested = order.tick()
                            await Task.yield()
                            let answer = response(
                                200,
                                [("Cache-Control", "max-age=999"), ("xkey", "t\(number)")])
                            lead.fill.publish(
                                cachedHead(
                                    ask, answer,
                                    times: FetchTimes(
                                        requested: requested,
                                        received: ClockReading(
                                            monotonic: order.tick(),
                                            wall: WallTime(nanoseconds: epoch * 1_000_000_000)))))
                            _ = lead.fill.append(bytes("x"))
                            lead.fill.finish(at: order.tick())
                        default: Issue.record("unexpected lookup")
                        }
                    }
                }
            }
        }
        #expect(store.statistics().fills == 0)
    }
}
