import Caching
import Primitives
import Testing

/// A history as the thread that follows Redis keeps it.
private struct Follower {
    let history = PurgeHistory(seed: KeyedHasher.Seed(1, 2))
    var sequence: UInt64 = 0
    private var nextID: UInt64 = 1

    init() {
        history.begin(at: PurgePosition(generation: 5, sequence: 0))
        history.trust(until: at(1000))
    }

    func position(_ sequence: UInt64) -> PurgePosition {
        PurgePosition(generation: 5, sequence: sequence)
    }

    func record(
        _ kind: PurgeRecord.Kind, _ value: String, soft: Bool = false, id: UInt64
    ) -> PurgeRecord {
        PurgeRecord(
            id: id, kind: kind, value: bytes(value), isSoft: soft, time: clock(0).wall)
    }

    /// The next entry of the sequence.
    @discardableResult
    mutating func add(
        _ kind: PurgeRecord.Kind, _ value: String, soft: Bool = false, id: UInt64? = nil,
        at seconds: Double = 1
    ) -> Bool {
        sequence += 1
        nextID += 1
        return history.add(
            record(kind, value, soft: soft, id: id ?? nextID << 32), at: position(sequence),
            now: at(seconds))
    }

    func verdict(
        _ sequence: UInt64, user: String? = nil, at seconds: Double = 2
    ) -> PurgeVerdict? {
        var policy = CachePolicy()
        if user != nil { policy.varyBy = [.user] }
        let stored = stored(
            request("/a?x=1"),
            [
                ("Cache-Control", "max-age=100"), ("Surrogate-Key", "one two"),
                ("Cache-Groups", "\"g\""),
            ], policy: policy, user: user)
        return history.verdict(on: stored, at: position(sequence), now: at(seconds))
    }
}

@Suite struct PurgeHistoryTests {
    @Test(arguments: [
        (PurgeRecord.Kind.tag, "two", true), (.tag, "Two", false), (.prefix, "/a", true),
        (.prefix, "/b", false), (.glob, "example.com/*", true),
        (.key, "{GET}:example.com:/a?x=1", true), (.key, "{GET}:example.com:/a", false),
        (.all, "", true), (.user, "42", true), (.user, "4", false), (.company, "42", false),
        (.group, "example.com g", true), (.group, "example.com one", false),
    ])
    func `a purge means what was asked for at an earlier position, and nothing else`(
        kind: PurgeRecord.Kind, value: String, isMeant: Bool
    ) {
        var follower = Follower()
        follower.add(.tag, "other")
        follower.add(kind, value)
        follower.add(.tag, "other")
        #expect(follower.verdict(1, user: "42") == (isMeant ? .dead : .untouched))
        #expect(follower.verdict(2, user: "42") == .untouched)
        // Stored by a process that has come further.
        #expect(follower.verdict(9, user: "42") == .untouched)
    }

    @Test func `a soft purge makes stale from its arrival on; a hard one later is stronger`() {
        var follower = Follower()
        follower.add(.tag, "one", soft: true, at: 5)
        follower.add(.prefix, "/a", soft: true, at: 6)
        #expect(follower.verdict(0) == .stale(at(5)))
        #expect(follower.verdict(1) == .stale(at(6)))
        #expect(follower.verdict(2) == .untouched)
        follower.add(.all, "", at: 7)
        #expect(follower.verdict(0) == .dead)
        #expect(follower.verdict(2) == .dead)
    }

    @Test func `nothing is known before the first reading, and when trust has ended`() {
        let history = PurgeHistory(seed: KeyedHasher.Seed(1, 2))
        let answer = stored(request("/a"))
        let position = PurgePosition(generation: 5, sequence: 3)
        #expect(history.position == nil)
        history.trust(until: at(10))
        #expect(history.verdict(on: answer, at: position, now: at(1)) == nil)
        history.begin(at: position)
        #expect(history.position == position)
        #expect(history.verdict(on: answer, at: position, now: at(9)) == .untouched)
        #expect(history.isTrusted(at: at(9)))
        #expect(!history.isTrusted(at: at(10)))
        #expect(history.verdict(on: answer, at: position, now: at(10)) == nil)
    }

    @Test func `another generation, and what is older than the first known purge, is dead`() {
        let follower = Follower()
        follower.history.begin(at: follower.position(7))
        #expect(follower.verdict(6) == .dead)
        #expect(follower.verdict(7) == .untouched)
        let other = PurgePosition(generation: 4, sequence: 8)
        #expect(
            follower.history.verdict(on: stored(request("/a")), at: other, now: at(1)) == .dead)
    }

    @Test func `beyond the bound the oldest are forgotten, and what they may mean is dead`() {
        var follower = Follower()
        for i in 0..<1100 { follower.add(.prefix, "/none\(i)") }
        let counts = follower.history.counts
        #expect(counts.records <= 1024)
        #expect(counts.floor > 0)
        #expect(counts.floor + UInt64(counts.records) == 1100)
        #expect(follower.verdict(counts.floor - 1) == .dead)
        #expect(follower.verdict(counts.floor) == .untouched)
    }

    @Test func `an own purge means every answer until it has its number`() {
        var follower = Follower()
        follower.add(.tag, "other")
        follower.history.addOwn(follower.record(.tag, "one", id: 77), at: at(1))
        #expect(follower.verdict(1) == .dead)
        #expect(follower.verdict(1000) == .dead)
        #expect(follower.history.takeOwn(atMost: 10).map(\.id) == [77])
        follower.history.noteSent(at: at(2))
        #expect(follower.verdict(1000) == .dead)
        let isOwn = follower.add(.tag, "other")
        #expect(!isOwn)
        #expect(follower.verdict(1000) == .dead)
        let isBack = follower.add(.tag, "one", id: 77)
        #expect(isBack)
        #expect(follower.verdict(2) == .dead)
        #expect(follower.verdict(3) == .untouched)
        // Sent twice: then it comes as anybody's.
        let isBackAgain = follower.add(.tag, "one", id: 77)
        #expect(!isBackAgain)
    }

    @Test func `what could not be sent waits in its place`() {
        let follower = Follower()
        let history = follower.history
        for id in 1...5 { history.addOwn(follower.record(.tag, "t", id: UInt64(id)), at: at(1)) }
        #expect(history.takeOwn(atMost: 2).map(\.id) == [1, 2])
        history.addOwn(follower.record(.tag, "t", id: 6), at: at(1))
        history.noteFailed()
        #expect(history.counts.waiting == 6)
        #expect(history.takeOwn(atMost: 3).map(\.id) == [1, 2, 3])
        history.noteSent(at: at(2))
        #expect(history.takeOwn(atMost: 10).map(\.id) == [4, 5, 6])
        history.noteSent(at: at(3))
        #expect(history.takeOwn(atMost: 10).isEmpty)
        history.noteSent(at: at(3))
        // Redis has lost them.
        #expect(history.sendAgain(at: at(302.5)) == 3)
        #expect(history.takeOwn(atMost: 10).map(\.id) == [4, 5, 6])
        history.noteSent(at: at(303))
        #expect(history.sendAgain(at: at(604)) == 0)
    }

    @Test func `too many for the queue become one of everything, and those in flight stay`() {
        let follower = Follower()
        let history = follower.history
        let bound = CacheBounds.purgeQueue
        for id in 1...bound {
            history.addOwn(follower.record(.tag, "t", id: UInt64(id)), at: at(1))
        }
        #expect(history.takeOwn(atMost: 2).count == 2)
        for id in 1...3 {
            history.addOwn(
                follower.record(.tag, "x", soft: true, id: UInt64(bound + id)), at: at(1))
        }
        #expect(history.counts.waiting == 3)
        // It means everything, also here.
        #expect(follower.verdict(1000) == .dead)
        history.noteSent(at: at(2))
        let rest = history.takeOwn(atMost: 10)
        #expect(rest.map(\.kind) == [.all])
        #expect(rest.map(\.isSoft) == [false])
        #expect(rest.map(\.id) == [UInt64(bound + 3)])
    }

    @Test func `sent more than is kept: everything is purged in their place`() {
        let follower = Follower()
        let history = follower.history
        for id in 1...(CacheBounds.purgeQueue + 10) {
            history.addOwn(follower.record(.tag, "t", id: UInt64(id)), at: at(1))
            _ = history.takeOwn(atMost: 10)
            history.noteSent(at: at(1))
        }
        #expect(history.sendAgain(at: at(2)) == 1)
        let all = history.takeOwn(atMost: 10)
        #expect(all.map(\.kind) == [.all])
        #expect(all[0].id != UInt64(CacheBounds.purgeQueue + 10))
    }
}
