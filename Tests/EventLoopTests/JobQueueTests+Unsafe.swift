import Primitives
import TestKit
import Testing

@testable import EventLoop

/// Keeps the jobs of its tasks until they are taken.
private final class Collector: TaskExecutor {
    private let jobs = Guarded<[UnownedJob]>([])

    func enqueue(_ job: consuming ExecutorJob) {
        let unowned = UnownedJob(job)
        jobs.withLock { $0.append(unowned) }
    }

    func takeAll() -> [UnownedJob] {
        jobs.withLock { jobs in
            defer { jobs = [] }
            return jobs
        }
    }
}

@Suite struct JobQueueTests {
    @Test func `jobs leave in the order they came, also when the ring grows while it wraps`() {
        var random = SeededRandom(seed: 1)
        let collector = Collector()
        let ran = Probe<[Int]>([])
        var queue = JobQueue()
        var (added, taken) = (0, 0)
        #expect(queue.popFirst() == nil)
        for round in 0..<60 {
            // More come than go at first, later more go than come.
            let arriving = random.below(round < 30 ? 120 : 40)
            for number in added..<added + arriving {
                Task(executorPreference: collector) { ran.update { $0.append(number) } }
            }
            for job in collector.takeAll() { queue.append(job) }
            added += arriving
            for _ in 0..<random.below(80) {
                guard let job = queue.popFirst() else { break }
                taken += 1
                // The collector outlives its jobs.
                unsafe job.runSynchronously(on: collector.asUnownedTaskExecutor())
            }
            #expect(queue.count == added - taken)
            #expect(queue.isEmpty == (added == taken))
        }
        while let job = queue.popFirst() {
            unsafe job.runSynchronously(on: collector.asUnownedTaskExecutor())
        }
        #expect(added > 512)
        #expect(ran.value == Array(0..<added))
    }
}
