import Caching
import RedisClient

/// Giving back the memory of purged answers in Redis.
extension WorkerContext {
    /// Frees what is dead in `remains`, until the process drains.
    func free(_ remains: PurgeRemains, for job: BackgroundJob) async -> JobOutcome {
        guard let secondLevel, let fleet = shared.fleet else {
            return .refused(JobReason("no-redis"))
        }
        let work = shared.background
        var values = PurgedValues(
            in: secondLevel, by: fleet.purges, isStopped: { work.isStopped },
            note: { work.note($0, of: job) })
        return switch await values.free(remains) {
        case .done: .done
        case .failed: .failed(JobReason("redis"))
        case .stopped: .refused(JobReason("stopped"))
        }
    }
}
