import Caching
import Primitives
import Settings
import Telemetry
import Testing

@testable import Proxy

private func page(_ name: String) -> JobTask {
    .fetch(WarmRequest(host: "a.example", target: "/\(name)"))
}

private func tag(_ name: String) -> JobTask { .free(.tag(Array(name.utf8))) }

private func clock(_ seconds: UInt64) -> ClockReading {
    ClockReading(
        monotonic: MonotonicTime(nanoseconds: 1) + .seconds(seconds),
        wall: WallTime(nanoseconds: seconds * 1_000_000_000))
}

private let broken = JobOutcome.failed(JobReason(status: 503))

@Suite struct BackgroundQueueTests {
    private var random = SeededRandom(seed: 3)

    private func queue(
        _ concurrency: Int = 100, length: Int = 100, dead: Int = 100, attempts: Int = 3
    ) -> BackgroundQueue {
        BackgroundQueue(
            concurrency: concurrency, lengthMax: length, deadMax: dead, attempts: attempts,
            backoff: Backoff(first: .seconds(1), longest: .seconds(8)))
    }

    /// Takes all jobs that may begin, as the names of their pages.
    private func begin(_ queue: inout BackgroundQueue, _ seconds: UInt64 = 0) -> [String] {
        var names: [String] = []
        while let job = queue.next(at: clock(seconds).monotonic) {
            names.append(job.task.request.map { String($0.target.dropFirst()) } ?? "free")
        }
        return names
    }

    @Test func `what is more urgent begins first, and within that the oldest`() {
        var queue = queue()
        for (name, kind) in [
            ("low1", JobKind.popular), ("normal1", .start), ("high1", .purge), ("low2", .refresh),
            ("high2", .purge), ("normal2", .start),
        ] {
            _ = queue.add(page(name), kind)
        }
        #expect(begin(&queue) == ["high1", "high2", "normal1", "normal2", "low1", "low2"])
    }

    @Test func `no more run at once than may`() {
        var queue = queue(2)
        for name in ["a", "b", "c"] { _ = queue.add(page(name), .start) }
        #expect(begin(&queue) == ["a", "b"])
        var random = random
        queue.end(2, .done, at: clock(1), &random)
        #expect(begin(&queue) == ["c"])
        #expect(queue.waitingCount == 0 && queue.runningJobs.map(\.job.id) == [1, 3])
        queue.concurrency = 3
        _ = queue.add(page("d"), .start)
        #expect(begin(&queue) == ["d"])
    }

    @Test func `the same request waits or runs once, and again when it has ended`() {
        var queue = queue()
        var random = random
        #expect(queue.add(page("a"), .start) == .queued(1))
        #expect(queue.add(page("a"), .purge) == .known)
        #expect(begin(&queue) == ["a"])
        #expect(queue.add(page("a"), .purge) == .known)
        queue.end(1, .done, at: clock(0), &random)
        #expect(queue.add(page("a"), .purge) == .queued(2))
        // Another variant is another request.
        let german = WarmRequest(
            host: "a.example", target: "/a", fields: [.init(name: "accept-language", value: "de")])
        #expect(queue.add(.fetch(german), .purge) == .queued(3))
    }

    @Test func `beyond the length the less urgent gives way, or nothing is added`() {
        var queue = queue(length: 2)
        #expect(queue.add(page("a"), .popular) == .queued(1))
        #expect(queue.add(page("b"), .popular) == .queued(2))
        #expect(queue.add(page("c"), .popular) == .full)
        #expect(queue.add(page("d"), .start) == .queued(3))
        #expect(queue.waitingCount == 2)
        #expect(begin(&queue) == ["d", "a"])
        #expect(queue.table[.popular, .low].dropped == 2)
        // What was dropped may be asked for again.
        #expect(queue.add(page("b"), .popular) == .queued(4))
    }

    @Test func `jobs that wait for another attempt give way too`() {
        var queue = queue(length: 1)
        var random = random
        _ = queue.add(page("a"), .popular)
        #expect(begin(&queue) == ["a"])
        queue.end(1, broken, at: clock(0), &random)
        #expect(queue.add(page("b"), .refresh) == .full)
        #expect(queue.add(page("b"), .start) == .queued(2))
        #expect(queue.waitingCount == 1 && queue.nextDue == .never)
        #expect(queue.table[.popular, .low].dropped == 1)
    }

    @Test func `a failed job is tried again after a pause, in which others run`() {
        var queue = queue()
        var random = random
        _ = queue.add(page("a"), .start)
        #expect(begin(&queue) == ["a"])
        queue.end(1, broken, at: clock(0), &random)
        #expect(queue.waitingCount == 1)
        let due = queue.nextDue
        #expect(due > clock(0).monotonic && due <= clock(1).monotonic)
        _ = queue.add(page("b"), .popular)
        #expect(begin(&queue) == ["b"])
        #expect(queue.next(at: due)?.attempts == 2)
        let counts = queue.table[.start, .normal]
        #expect(counts.failed == 1 && counts.retried == 1 && counts.running == 1)
        #expect(queue.nextDue == .never)
    }

    @Test func `a job that failed too often becomes a dead letter with its last reason`() {
        var queue = queue()
        var random = random
        _ = queue.add(page("a"), .start)
        for round in 0..<3 {
            #expect(begin(&queue, UInt64(round) * 10) == ["a"])
            queue.end(1, broken, at: clock(UInt64(round) * 10), &random)
        }
        #expect(queue.waitingCount == 0 && begin(&queue, 1000) == [])
        #expect(queue.dead.map(\.reason.text) == ["status 503"])
        #expect(queue.dead.first?.job.attempts == 3)
        #expect(queue.dead.first?.time == clock(20).wall)
        let counts = queue.table[.start, .normal]
        #expect(counts.failed == 3 && counts.retried == 2 && counts.dead == 1)
        #expect(counts.done == 0 && counts.waiting == 0 && counts.running == 0)
        #expect(queue.table.durations[JobKind.start.rawValue].count == 3)
    }

    @Test func `a job that will be the same another time is not tried again`() {
        var queue = queue()
        var random = random
        _ = queue.add(page("a"), .start)
        #expect(begin(&queue) == ["a"])
        queue.end(1, .refused(JobReason("no-store")), at: clock(0), &random)
        #expect(queue.dead.map(\.reason.text) == ["no-store"])
        #expect(queue.table[.start, .normal].retried == 0)
    }

    @Test func `dead letters are kept up to a bound, the same request once`() {
        var queue = queue(dead: 2)
        var random = random
        for (id, name) in [(1, "a"), (2, "b"), (3, "a"), (4, "c")] as [(UInt64, String)] {
            _ = queue.add(page(name), .start)
            #expect(begin(&queue) == [name])
            queue.end(id, .refused(JobReason("x")), at: clock(0), &random)
        }
        #expect(queue.dead.map(\.job.id) == [3, 4])
    }

    @Test func `a dead letter is tried again before all others, or dropped`() {
        var queue = queue()
        var random = random
        for (id, name) in [(1, "a"), (2, "b")] as [(UInt64, String)] {
            _ = queue.add(page(name), .popular)
            #expect(begin(&queue) == [name])
            queue.end(id, .refused(JobReason("x")), at: clock(0), &random)
        }
        _ = queue.add(page("c"), .purge)
        #expect(queue.retry(7) == false && queue.drop(7) == false)
        #expect(queue.retry(1) && queue.drop(2))
        #expect(queue.dead.isEmpty)
        #expect(begin(&queue) == ["a", "c"])
        #expect(queue.table[.popular, .critical].running == 1)
        queue.end(1, .done, at: clock(0), &random)
        #expect(queue.table[.popular, .critical].done == 1)
    }

    @Test func `what waits can be forgotten, what runs ends`() {
        var queue = queue(1)
        var random = random
        for name in ["a", "b", "c"] { _ = queue.add(page(name), .start) }
        #expect(begin(&queue) == ["a"])
        queue.removeWaiting()
        #expect(queue.waitingCount == 0)
        queue.end(1, .done, at: clock(0), &random)
        #expect(begin(&queue) == [])
        #expect(queue.add(page("b"), .start) == .queued(4))
        #expect(queue.table[.start, .normal].waiting == 1)
    }

    @Test func `what frees memory has places of its own, beside those of fetches`() {
        var queue = queue(1)
        var random = random
        for name in ["x", "y", "z"] { _ = queue.add(tag(name), .free) }
        for name in ["a", "b"] { _ = queue.add(page(name), .popular) }
        #expect(begin(&queue) == ["a", "free", "free"])
        queue.end(4, .done, at: clock(0), &random)
        #expect(begin(&queue) == ["b"])
        queue.end(1, .done, at: clock(0), &random)
        #expect(begin(&queue) == ["free"])
        #expect(queue.table[.free, .low].done == 1 && queue.table[.free, .low].running == 2)
    }

    @Test func `what is purged again while it is freed is freed again, once`() {
        var queue = queue()
        var random = random
        #expect(queue.add(.free(.anywhere), .free) == .queued(1))
        #expect(queue.add(.free(.anywhere), .free) == .known)
        #expect(begin(&queue) == ["free"])
        #expect(queue.add(.free(.anywhere), .free) == .known)
        #expect(queue.add(.free(.anywhere), .free) == .known)
        #expect(queue.waitingCount == 0)
        queue.end(1, .done, at: clock(1), &random)
        #expect(begin(&queue, 1) == ["free"])
        queue.end(2, .done, at: clock(2), &random)
        #expect(begin(&queue, 2) == [])
        // After a failure the whole is done once more anyhow.
        _ = queue.add(.free(.anywhere), .free)
        #expect(begin(&queue, 3) == ["free"])
        _ = queue.add(.free(.anywhere), .free)
        queue.end(3, broken, at: clock(3), &random)
        #expect(queue.waitingCount == 1)
        #expect(begin(&queue, 20) == ["free"])
    }

    @Test func `another configuration forgets the fetches that wait, and nothing else`() {
        var queue = queue(1)
        var random = random
        for name in ["a", "b"] { _ = queue.add(page(name), .start) }
        for name in ["x", "y", "z"] { _ = queue.add(tag(name), .free) }
        #expect(begin(&queue) == ["a", "free", "free"])
        queue.removeFetches()
        #expect(queue.waitingCount == 1)
        queue.end(3, .done, at: clock(0), &random)
        #expect(begin(&queue) == ["free"])
    }

    @Test func `random work never loses a job, and never exceeds a bound`() {
        for seed in 0..<200 as Range<UInt64> {
            var random = SeededRandom(seed: seed)
            var queue = queue(3, length: 8, dead: 4)
            var running: [UInt64] = []
            var added = 0
            for step in 0..<300 as Range<UInt64> {
                switch random.below(4) {
                case 0:
                    let kind = JobKind.allCases[random.below(JobKind.allCases.count)]
                    if case .queued = queue.add(page("\(random.below(20))"), kind) { added += 1 }
                case 1:
                    if let job = queue.next(at: clock(step).monotonic) { running.append(job.id) }
                case 2 where !running.isEmpty:
                    let id = running.remove(at: random.below(running.count))
                    let outcomes = [.done, broken, .refused(JobReason("x"))]
                    queue.end(id, outcomes[random.below(3)], at: clock(step), &random)
                default:
                    if let letter = queue.dead.first { _ = queue.retry(letter.job.id) }
                }
                // A retried job comes back for its place, so one more than the length may wait.
                #expect(queue.waitingCount <= 8 + 3)
                #expect(running.count <= 3 && queue.dead.count <= 4)
                #expect(queue.runningJobs.map(\.job.id).sorted() == running.sorted())
            }
            var sum = JobCounts()
            for kind in JobKind.allCases {
                for priority in JobPriority.allCases {
                    let counts = queue.table[kind, priority]
                    #expect(counts.waiting >= 0 && counts.running >= 0)
                    sum.waiting += counts.waiting
                    sum.running += counts.running
                }
            }
            #expect(sum.waiting == queue.waitingCount && sum.running == running.count)
            #expect(added > 0)
        }
    }
}

@Suite struct BackoffTests {
    private let backoff = Backoff(first: .seconds(1), longest: .seconds(60))

    @Test(arguments: [(1, 1), (2, 2), (3, 4), (6, 32), (7, 60), (1000, 60)] as [(Int, UInt64)])
    func `the bound doubles up to the longest`(attempt: Int, seconds: UInt64) {
        #expect(backoff.bound(afterAttempt: attempt) == .seconds(seconds))
    }

    @Test func `the pause is anywhere below its bound, and never nothing`() {
        var random = SeededRandom(seed: 1)
        var pauses: [Nanoseconds] = []
        for _ in 0..<2000 { pauses.append(backoff.pause(afterAttempt: 3, &random)) }
        #expect(pauses.allSatisfy { $0 > .zero && $0 <= .seconds(4) })
        let mean = pauses.reduce(0.0) { $0 + Double($1.count) } / 2000 / 1e9
        #expect((1.9...2.1).contains(mean))
        #expect(pauses.contains { $0 < .milliseconds(100) })
        #expect(pauses.contains { $0 > .milliseconds(3900) })
    }
}
