public import Primitives
import Synchronization

/// Purging: a record goes to every shard, and each entry finds it when it is next looked at. The cost does not
/// depend on how many entries there are.
extension MemoryStore {
    /// Purges what `record` names: no later request gets an answer that was asked for before `now`, or, when it is
    /// soft, gets it as a stale one.
    ///
    /// Somebody should sweep afterwards (`PurgeSweep`), so that dead answers give their room back and the record is
    /// forgotten.
    ///
    /// - Parameters:
    ///   - record: Its `problem` is `nil`.
    ///   - now: When it was asked for, or arrived.
    public func purge(_ record: PurgeRecord, at now: MonotonicTime) {
        precondition(record.problem == nil)
        let compiled = CompiledPurge(record, seed: seed)
        for shard in shards {
            while !shard.state.withLock({ $0.purge(compiled, at: now) }) { makeRoom(in: shard) }
        }
    }

    /// Applies all records of a shard to its entries, in slices.
    private func makeRoom(in shard: Shard) {
        while true {
            var progress = SweepProgress.more
            while progress == .more {
                let step = shard.state.withLock { $0.sweepStep() }
                progress = step.progress
            }
            if shard.state.withLock({ $0.purges.count < CacheBounds.purgeRecords }) { return }
            // Only fetches that began earlier keep the records: they will not be stored.
            shard.state.withLock { $0.forgetFills() }
        }
    }

    /// Multiplies the lifetimes of what is stored and will be by `factor` thousandths; 1000 ends it.
    public func multiplyLifetimes(by factor: UInt32) {
        precondition(CacheBounds.lifetimeFactor.contains(factor))
        for shard in shards { shard.state.withLock { $0.multiplyLifetimes(by: factor) } }
    }

    /// Becomes the one who sweeps; `nil` when somebody does already.
    public func beginSweep() -> PurgeSweep? {
        isSweeping.exchange(true, ordering: .acquiringAndReleasing) ? nil : PurgeSweep(store: self)
    }
}

/// A walk over the whole store after purges, a slice at a time.
public struct PurgeSweep {
    let store: MemoryStore
    private var shard = 0
    private var isWaiting = false
    private var hasEnded = false

    init(store: MemoryStore) { self.store = store }

    /// Looks at the next slice, under one lock.
    ///
    /// - Returns: After `done` the sweep has ended; who purges then begins another one.
    public mutating func step() -> SweepProgress {
        let step = store.shards[shard].state.withLock { $0.sweepStep() }
        // What left is freed here, outside the lock.
        _ = step.left.count
        switch step.progress {
        case .more: return .more
        case .waiting: isWaiting = true
        case .done: break
        }
        shard += 1
        guard shard == store.shards.count else { return .more }
        shard = 0
        if isWaiting {
            isWaiting = false
            return .waiting
        }
        stop()
        // A purge that came since the first shard was looked at found somebody sweeping.
        let isLeft = store.shards.contains { shard in
            shard.state.withLock { !$0.purges.isEmpty }
        }
        guard isLeft, !store.isSweeping.exchange(true, ordering: .acquiringAndReleasing) else {
            return .done
        }
        hasEnded = false
        return .more
    }

    /// Ends the sweep before it is done; the next one goes on where this one stopped.
    public mutating func stop() {
        guard !hasEnded else { return }
        hasEnded = true
        store.isSweeping.store(false, ordering: .releasing)
    }
}
