import Caching
import Primitives
import Testing

/// What Redis does with the sequence: numbers, keeps the latest, may lose all or the end of it.
private struct ScriptedRedis {
    var entries: [PurgeEntry] = []
    /// The latest one that was begun.
    private var generation: UInt32 = 0
    let kept: Int

    init(kept: Int = 1000) { self.kept = kept }

    mutating func append(_ id: UInt64) -> PurgeEntry {
        if entries.isEmpty { begin() }
        return place(record(id), entries[entries.count - 1].position.generation)
    }

    mutating func begin() {
        generation += 1
        _ = place(nil, generation)
    }

    private mutating func place(_ record: PurgeRecord?, _ generation: UInt32) -> PurgeEntry {
        let next = (entries.last?.position.sequence ?? 0) + 1
        let line = record?.line ?? []
        let entry = PurgeEntry(
            at: PurgePosition(generation: generation, sequence: next), line: line.span)
        entries.append(entry)
        if entries.count > kept { entries.removeFirst(entries.count - kept) }
        return entry
    }

    mutating func page(from: UInt64, atMost count: Int = 3) -> PurgePage {
        if entries.isEmpty { begin() }
        let part = entries.filter { $0.position.sequence >= from }.prefix(count)
        return PurgePage(
            end: entries[entries.count - 1].position, first: entries[0].position.sequence,
            entries: Array(part))
    }
}

private func record(_ id: UInt64) -> PurgeRecord {
    PurgeRecord(
        id: id, kind: .tag, value: Array("t\(id)".utf8), isSoft: false,
        time: WallTime(nanoseconds: id))
}

/// A process: its feed, and what it was told to do.
private struct Reader {
    var feed = PurgeFeed()
    var purged: Set<UInt64> = []
    var repeated = 0
    var missed = 0
    var sentAgain = 0
    var begun: [PurgePosition] = []

    mutating func carryOut(_ effects: [PurgeFeed.Effect]) {
        for effect in effects {
            switch effect {
            case .begin(let position): begun.append(position)
            case .entry(let entry, let isKnown):
                guard let record = entry.record else { continue }
                if isKnown { repeated += 1 } else { purged.insert(record.id) }
            case .missed: missed += 1
            case .sendAgain: sentAgain += 1
            }
        }
    }

    mutating func hear(_ entry: PurgeEntry, at seconds: UInt64 = 1) {
        carryOut(feed.receive(entry, at: time(seconds)))
    }

    /// Asks what there is to ask, to the end.
    mutating func catchUp(_ redis: inout ScriptedRedis, at seconds: UInt64 = 1) {
        for _ in 0..<100_000 {
            switch feed.question {
            case .none: return
            case .read(let from):
                carryOut(feed.read(redis.page(from: from), at: time(seconds)))
            case .renew(let generation):
                if redis.page(from: 0).end.generation == generation { redis.begin() }
                feed.renewed()
            }
        }
        Issue.record("it never ends")
    }
}

private func time(_ seconds: UInt64) -> MonotonicTime {
    MonotonicTime(nanoseconds: seconds * 1_000_000_000)
}

@Suite struct PurgeFeedTests {
    @Test
    func `an entry is read back from its announcement; one of a later version purges everything`() {
        let line = record(5).line
        let position = PurgePosition(generation: 0xABCDEF, sequence: 77)
        let entry = PurgeEntry(announced: (Array("11259375 77 ".utf8) + line).span)
        #expect(entry == PurgeEntry(at: position, line: line.span))
        #expect(entry?.record == record(5))
        #expect(PurgeEntry(announced: Array("11259375 77 ".utf8).span)?.position == position)
        let future = PurgeEntry(announced: Array("11259375 77 what is this".utf8).span)
        #expect(future?.record?.kind == .all)
        for none in [
            "", "1", "1 2", "0 1 x", "16777216 1 x", "1 1099511627776 x", "a 1 x", "1 b x",
        ] {
            #expect(PurgeEntry(announced: Array(none.utf8).span) == nil, "\(none)")
        }
        #expect(PurgePosition(word: position.word) == position)
    }

    @Test func `the first reading takes all there is, and later announcements in order`() {
        var redis = ScriptedRedis()
        var reader = Reader()
        for id in 1...10 { _ = redis.append(UInt64(id)) }
        reader.catchUp(&redis)
        #expect(reader.purged == Set(1...10))
        #expect(reader.begun == [PurgePosition(generation: 1, sequence: 0)])
        for id in 11...20 { reader.hear(redis.append(UInt64(id))) }
        #expect(reader.purged == Set(1...20))
        #expect(reader.feed.question == .none)
        #expect(reader.feed.readings == 0)
        #expect(reader.feed.position?.sequence == 21)
        #expect(reader.missed == 0)
    }

    @Test func `a lost announcement is noticed by the next one, or by the end that is said`() {
        var redis = ScriptedRedis()
        var reader = Reader()
        reader.catchUp(&redis)
        _ = redis.append(1)
        reader.hear(redis.append(2))
        #expect(reader.feed.question == .read(from: 1))
        #expect(reader.purged.isEmpty)
        reader.catchUp(&redis)
        #expect(reader.purged == [1, 2])
        let lost = redis.append(3)
        reader.feed.note(lost.position, at: time(2))
        #expect(reader.feed.question == .read(from: 3))
        reader.catchUp(&redis)
        #expect(reader.purged == [1, 2, 3])
        // An end that is behind says nothing.
        reader.feed.note(PurgePosition(generation: 1, sequence: 2), at: time(3))
        #expect(reader.feed.question == .none)
        #expect(reader.repeated == 0)
    }

    @Test func `what is announced between a reading and its answer is read, too`() {
        var redis = ScriptedRedis()
        var reader = Reader()
        reader.catchUp(&redis)
        reader.feed.interrupt()
        let page = redis.page(from: 1)
        reader.hear(redis.append(1))
        reader.carryOut(reader.feed.read(page, at: time(1)))
        #expect(reader.feed.question == .read(from: 1))
        reader.catchUp(&redis)
        #expect(reader.purged == [1])
        #expect(reader.feed.question == .none)
    }

    @Test func `doubled and late announcements change nothing`() {
        var redis = ScriptedRedis()
        var reader = Reader()
        reader.catchUp(&redis)
        let entries = (1...3).map { redis.append(UInt64($0)) }
        for entry in [entries[0], entries[0], entries[1], entries[0], entries[2], entries[1]] {
            reader.hear(entry)
        }
        #expect(reader.feed.question == .none)
        #expect(reader.purged == [1, 2, 3])
        #expect(reader.repeated == 0)
    }

    @Test func `a purge that was sent twice is one`() {
        var redis = ScriptedRedis()
        var reader = Reader()
        reader.catchUp(&redis)
        reader.hear(redis.append(7))
        reader.hear(redis.append(7))
        #expect(reader.purged == [7])
        #expect(reader.repeated == 1)
        #expect(reader.feed.question == .none)
    }

    @Test func `who was away longer than Redis remembers has missed something, and goes on`() {
        var redis = ScriptedRedis(kept: 5)
        var reader = Reader()
        reader.catchUp(&redis)
        for id in 1...4 { _ = redis.append(UInt64(id)) }
        // The entry it knows is the first one.
        reader.feed.interrupt()
        reader.catchUp(&redis)
        #expect(reader.missed == 0)
        for id in 5...9 { _ = redis.append(UInt64(id)) }
        // The one it knows is gone, the next one is there.
        reader.feed.interrupt()
        reader.catchUp(&redis)
        #expect(reader.missed == 0)
        #expect(reader.purged == Set(1...9))
        for id in 10...20 { _ = redis.append(UInt64(id)) }
        reader.feed.interrupt()
        reader.catchUp(&redis)
        #expect(reader.missed == 1)
        #expect(reader.purged.isSuperset(of: 16...20))
        #expect(reader.begun.last == PurgePosition(generation: 1, sequence: 16))
        #expect(reader.feed.question == .none)
    }

    @Test func `Redis without its records begins anew: what was sent is sent again`() {
        var redis = ScriptedRedis()
        var reader = Reader()
        reader.catchUp(&redis, at: 10)
        reader.hear(redis.append(1), at: 20)
        redis.entries = []
        reader.feed.interrupt()
        reader.catchUp(&redis, at: 320)
        #expect(reader.missed == 0)
        #expect(reader.sentAgain == 1)
        #expect(reader.begun.last == PurgePosition(generation: 2, sequence: 0))
        // Whoever sends it again: it is known here.
        reader.hear(redis.append(1), at: 321)
        #expect(reader.purged == [1])
        #expect(reader.repeated == 1)
    }

    @Test func `nobody vouches for what was sent longer ago`() {
        var redis = ScriptedRedis()
        var reader = Reader()
        reader.catchUp(&redis, at: 10)
        redis.entries = []
        reader.feed.interrupt()
        reader.catchUp(&redis, at: 311)
        #expect(reader.missed == 1)
        #expect(reader.sentAgain == 1)
    }

    @Test
    func
        `Redis without its last records: the numbers begin a generation, also when others have used them`()
    {
        for others in 0...4 {
            var redis = ScriptedRedis()
            var reader = Reader()
            reader.catchUp(&redis)
            for id in 1...5 { reader.hear(redis.append(UInt64(id))) }
            // A replica that had less became master.
            redis.entries.removeLast(2)
            for id in 0..<others { _ = redis.append(UInt64(100 + id)) }
            reader.feed.interrupt()
            reader.catchUp(&redis)
            #expect(reader.sentAgain == 1, "\(others)")
            #expect(reader.missed == 0)
            #expect(reader.feed.position?.generation == 2)
            #expect(reader.purged == Set(1...5).union((0..<others).map { UInt64(100 + $0) }))
        }
    }

    @Test func `an announcement of another generation is read about`() {
        var redis = ScriptedRedis()
        var reader = Reader()
        reader.catchUp(&redis)
        reader.hear(redis.append(1))
        redis.begin()
        reader.hear(redis.append(2))
        #expect(reader.feed.question == .read(from: 2))
        reader.catchUp(&redis)
        #expect(reader.purged == [1, 2])
        #expect(reader.sentAgain == 1)
        #expect(reader.feed.position == redis.entries.last?.position)
    }

    @Test(arguments: 0..<200)
    func `whatever is lost, doubled or late, no purge is missed`(seed: Int) {
        var random = SeededRandom(seed: UInt64(seed))
        var redis = ScriptedRedis(kept: 20 + random.below(50))
        var readers = [Reader(), Reader(), Reader()]
        var inFlight: [[PurgeEntry]] = [[], [], []]
        // Purges that Redis lost and whose sender sends them again when it is told to.
        var sent: [UInt64] = []
        var now: UInt64 = 1
        for step in 1...400 {
            now += UInt64(random.below(3))
            switch random.below(40) {
            case 0: redis.entries = []
            case 1:
                let keep = 1 + random.below(max(1, redis.entries.count))
                redis.entries = Array(redis.entries.prefix(keep))
            default:
                sent.append(UInt64(step))
                let entry = redis.append(UInt64(step))
                for i in readers.indices { inFlight[i].append(entry) }
            }
            for i in readers.indices {
                if random.below(3) == 0, !inFlight[i].isEmpty {
                    inFlight[i].remove(at: random.below(inFlight[i].count))
                }
                if random.below(5) == 0, let one = inFlight[i].first { inFlight[i].append(one) }
                while !inFlight[i].isEmpty && random.below(3) > 0 {
                    let place = random.below(10) == 0 ? random.below(inFlight[i].count) : 0
                    readers[i].hear(inFlight[i].remove(at: place), at: now)
                }
                if random.below(10) == 0 {
                    readers[i].feed.interrupt()
                    inFlight[i] = []
                }
                if random.below(2) == 0 { readers[i].catchUp(&redis, at: now) }
            }
            // The first one has asked for all of them.
            while readers[0].sentAgain > 0 {
                readers[0].sentAgain -= 1
                for id in sent { _ = redis.append(id) }
            }
        }
        // The end is said once a second; so a generation that ended in a gap is noticed.
        for _ in 0..<3 {
            for i in readers.indices {
                readers[i].feed.note(redis.page(from: 0).end, at: time(now))
                readers[i].feed.interrupt()
                readers[i].catchUp(&redis, at: now)
            }
            while readers[0].sentAgain > 0 {
                readers[0].sentAgain -= 1
                for id in sent { _ = redis.append(id) }
            }
        }
        for reader in readers {
            #expect(reader.feed.question == .none)
            #expect(reader.feed.position == redis.entries.last?.position)
            #expect(
                reader.missed > 0 || reader.purged.isSuperset(of: sent),
                "lacks \(Set(sent).subtracting(reader.purged))")
        }
    }
}
