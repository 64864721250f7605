import Primitives
import Testing

@testable import Limits

/// What is remembered, what is forgotten, and what happens when there is no room.
struct LimitTableTests {
    @Test(arguments: algorithms)
    func `a flood of new keys neither frees a limited key nor grows the table`(
        algorithm: LimitDefinition.Algorithm
    ) {
        var scene = LimitScene([limit(7, algorithm)], keys: 500)
        #expect(scene.passing(ip: 0) == 7)
        var admitted = 0
        for ip in 1...20_000 as ClosedRange<UInt32> {
            if scene.ask(ip: ip).isAdmitted { admitted += 1 }
            if ip % 100 == 0 { #expect(!scene.ask(ip: 0).isAdmitted) }
            scene.advance(Nanoseconds(1000))
        }
        #expect(scene.table.keyCount <= 500 + LimitBounds.overflowKeysMax)
        #expect(scene.table.memoryBytes <= scene.table.memoryBytesMax)
        // Those who found room, and seven in each of the eight shared buckets.
        #expect(admitted <= 499 + 7 * 64)
        #expect(admitted >= 499)
    }

    @Test(arguments: algorithms)
    func `in a full table nobody gets more than the limit, wherever it is counted`(
        algorithm: LimitDefinition.Algorithm
    ) {
        var scene = LimitScene([limit(7, per: .seconds(1), algorithm)], keys: 40)
        var random = SeededRandom(seed: 5)
        var times: [UInt32: [UInt64]] = [:]
        for _ in 0..<20_000 {
            scene.advance(.milliseconds(UInt64(random.below(3))))
            let ip = UInt32(random.below(100))
            let now = scene.clock.wall.nanoseconds
            if scene.ask(ip: ip).isAdmitted { times[ip, default: []].append(now) }
        }
        #expect(times.count == 100)
        for admitted in times.values {
            for index in admitted.indices {
                // Buckets: seven and one per 1/7 s; windows: seven per second, sliding or aligned.
                let second = admitted[index...].prefix { $0 - admitted[index] < 1_000_000_000 }
                switch algorithm {
                case .tokenBucket, .leakyBucket, .fixedWindow(phase: .key):
                    #expect(second.count <= 14)
                case .slidingWindow, .slidingLog: #expect(second.count <= 7)
                case .fixedWindow(phase: .aligned):
                    let window = admitted[index] / 1_000_000_000
                    #expect(second.count { $0 / 1_000_000_000 == window } <= 7)
                case .concurrency: Issue.record("time brings no room back")
                }
            }
        }
    }

    @Test(arguments: algorithms)
    func `idle entries make room, and after a flood keys are counted apart again`(
        algorithm: LimitDefinition.Algorithm
    ) {
        var scene = LimitScene([limit(7, per: .seconds(1), algorithm)], keys: 100)
        for ip in 0..<1000 as Range<UInt32> { _ = scene.ask(ip: ip) }
        // Longer than any entry lasts, the fixed window's second of slack included.
        scene.advance(.seconds(5))
        for ip in 0..<400 as Range<UInt32> {
            scene.advance(.milliseconds(50))
            #expect(scene.passing(ip: 10_000 + ip) == 7)
        }
        #expect(scene.table.keyCount <= 120)
    }

    @Test func `a key that was counted in a shared bucket takes the count along`() {
        var scene = LimitScene(
            [limit(7, per: .seconds(60), .fixedWindow(phase: .aligned))], keys: 4)
        for ip in 0..<4 as Range<UInt32> { #expect(scene.ask(ip: ip).isAdmitted) }
        #expect(scene.passing(ip: 99) == 7)
        // Room is made by moving the clock of one window on for the four, not for the bucket.
        scene.advance(.seconds(59))
        #expect(!scene.ask(ip: 99).isAdmitted)
        scene.advance(.seconds(1))
        #expect(scene.passing(ip: 99) == 7)

        var sliding = LimitScene([limit(7, .slidingWindow(subWindows: 6))], keys: 4)
        for ip in 0..<4 as Range<UInt32> { #expect(sliding.ask(ip: ip).isAdmitted) }
        sliding.advance(.seconds(30))
        #expect(sliding.passing(ip: 99) == 7)
        // The four are idle now, the bucket is not.
        sliding.advance(.seconds(45))
        #expect(!sliding.ask(ip: 99).isAdmitted)
        sliding.advance(.seconds(25))
        #expect(sliding.passing(ip: 99) == 7)
    }

    @Test(arguments: [.slidingLog, .slidingWindow(subWindows: 6)] as [LimitDefinition.Algorithm])
    func `a count that has grown in a shared bucket is taken along with its larger counters`(
        algorithm: LimitDefinition.Algorithm
    ) {
        var costly = limit(1000, algorithm)
        costly.costs = LimitDefinition.Costs(300)
        var scene = LimitScene([costly], keys: 4)
        for ip in 0..<4 as Range<UInt32> { #expect(scene.ask(ip: ip).isAdmitted) }
        scene.advance(.seconds(30))
        #expect(scene.passing(ip: 99) == 3)
        // The four are idle now, the bucket is not; the key gets a place of its own.
        scene.advance(.seconds(45))
        let taken = scene.ask(ip: 99)
        #expect(!taken.isAdmitted)
        #expect(taken[0].remaining == 100)
        scene.advance(.seconds(25))
        #expect(scene.passing(ip: 99) == 3)
        #expect(scene.ask(ip: 99)[0].remaining == 100)
    }

    @Test func `what is in flight in a shared bucket stays there, and counts for new keys`() {
        var state = LimitShardState(keysMax: 1)
        let policy = LimitPolicy(
            limits: [
                limit(1, per: .seconds(1), .tokenBucket(burst: 1)),
                limit(2, .concurrency, named: "b"),
            ], endpoint: "/")
        var scene = MeterScene(.concurrency(Concurrency(quota: 2)))
        func ask(_ key: UInt64, limit: UInt8) -> LimitWork.Item {
            var work = LimitWork.Item(
                digest: Digest128(high: key << 40, low: key), units: 1, rate: UInt16(limit),
                state: 0, limit: limit, shard: 0, isShadow: false)
            var mark: UInt64 = 0
            state.evaluate(&work, by: policy, at: scene.now)
            _ = state.settle(work, charge: work.admits, by: policy, at: scene.now, mark: &mark)
            return work
        }
        // The only place is taken for a second.
        #expect(ask(1, limit: 0).place == .new)
        #expect(ask(8, limit: 1).place == .shared)
        scene.advance(2_000_000_000)
        // Now there is room, but what the keys of the bucket have in flight is counted there.
        let second = ask(16, limit: 1)
        #expect(second.place == .shared && second.admits)
        let third = ask(8, limit: 1)
        #expect(third.place == .shared && !third.admits)
        #expect(ask(2, limit: 0).place == .new)
    }

    @Test func `a limit that gets no bucket refuses what finds no room`() {
        let scene = LimitScene([], keys: 1)
        var last = scene.ask()
        for name in 0..<60 {
            let policy = LimitPolicy(
                limits: [limit(7, .fixedWindow(phase: .aligned), named: "\(name)")], endpoint: "")
            for ip in 0..<100 as Range<UInt32> {
                last = decide(policy, in: scene.table, ip: ip, at: scene.clock)
            }
        }
        #expect(last.outcome == .refused(limit: 0))
        #expect(last.retryAfterSeconds == 1)
        #expect(scene.table.keyCount == 1 + LimitBounds.overflowKeysMax)
    }

    @Test func `an empty table of a million keys takes next to no memory`() {
        let table = LimitTable(keys: 1_000_000, seed: .random())
        #expect(table.memoryBytes < 200_000)
        #expect(table.memoryBytesMax < 230_000_000)
        #expect(table.keyCount == 0)
    }

    @Test(arguments: 1...4)
    func `the store agrees with a dictionary, through growth, removal and sweeping`(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var store = LimitStore(keysMax: 300, counterWordsMax: 4096)
        let meter = LimitMeter.slidingWindow(
            SlidingWindow(quota: 9, period: 1000, subWindows: 60))
        var model: [Digest128: UInt32] = [:]
        for _ in 0..<20_000 {
            // Few distinct homes, so that runs are long and wrap around the end.
            let digest = Digest128(
                high: UInt64(random.below(400)), low: UInt64(random.below(4)) << 62 | 3 << 60)
            let found = store.find(digest)
            #expect((found != nil) == (model[digest] != nil))
            if let found {
                #expect(store[found].amount == model[digest])
                if random.below(3) == 0 {
                    store.remove(at: found)
                    model[digest] = nil
                }
            } else if let position = store.insert(digest, by: meter, now: 0) {
                let amount = UInt32(random.below(1000))
                store[position].amount = amount
                model[digest] = amount
            } else {
                #expect(model.count >= 300 || store.counters.memoryBytes >= 4096 * 7)
            }
            #expect(store.count == model.count)
        }
        store.sweep(2000, now: 1)
        #expect(store.count == 0)
        #expect(model.keys.allSatisfy { store.find($0) == nil })
    }

    @Test func `blocks of counters never overlap, and are 0 when handed out`() {
        var random = SeededRandom(seed: 11)
        var slab = CounterSlab(wordsMax: 5000)
        var held: [(block: CounterSlab.Block, words: Int, mark: UInt32)] = []
        var refused = 0
        for mark in 1...5000 as ClosedRange<UInt32> {
            if random.below(2) == 0, !held.isEmpty {
                let (block, words, mark) = held.remove(at: random.below(held.count))
                for slot in 0..<UInt64(words * 2) {
                    #expect(slab.value(block, slot) == mark)
                }
                slab.release(block)
            } else {
                let words = [1, 2, 3, 8, 16, 31, 512, 1024][random.below(8)]
                let width = CounterSlab.CounterWidth(holding: .max)
                guard let block = slab.allocate(words: words, width: width) else {
                    refused += 1
                    continue
                }
                for slot in 0..<UInt64(words * 2) {
                    #expect(slab.value(block, slot) == 0)
                    slab.add(mark, block, slot)
                }
                held.append((block, words, mark))
            }
        }
        #expect(refused > 0)
        #expect(slab.memoryBytes <= 5000 * 8 + 64)
    }
}
