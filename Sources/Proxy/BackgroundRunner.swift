import EventLoop
import Primitives

/// Does the background work of a process on one worker's loop, a bounded number of jobs at once.
final class BackgroundRunner {
    private let worker: WorkerContext
    private let waiter: Waiter

    init(_ worker: WorkerContext) {
        self.worker = worker
        waiter = Waiter(worker.loop)
    }

    private var work: BackgroundWork { worker.shared.background }

    func start() {
        let waiter = waiter
        work.whenWork { waiter.wake() }
        worker.loop.start { [self] in await run() }
    }

    private func run() async {
        while !work.isStopped {
            let (job, due) = work.next(at: worker.loop.now)
            if let job {
                worker.loop.start { [self] in await perform(job) }
            } else {
                _ = await waiter.wait(until: due)
            }
        }
    }

    private func perform(_ job: BackgroundJob) async {
        let outcome =
            switch job.task {
            case .fetch(let request): await worker.warm(request)
            case .free(let remains): await worker.free(remains, for: job)
            }
        work.end(job, outcome, at: worker.loop.clock)
        waiter.wake()
    }
}
