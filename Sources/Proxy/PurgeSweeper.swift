import Caching
import EventLoop

/// Lets stored answers look at what was purged, a few at a time, so that dead ones give their room back.
enum PurgeSweeper {
    /// Sweeps on `loop`, unless somebody sweeps already; ends when no purge is left that an answer has not seen.
    static func start(_ store: MemoryStore, on loop: EventLoop) {
        guard var sweep = store.beginSweep() else { return }
        loop.start {
            var progress = SweepProgress.more
            while progress != .done {
                // The requests of this loop come first.
                await loop.sleep(for: progress == .more ? Bounds.sweepPause : Bounds.sweepWait)
                progress = sweep.step()
                for _ in 1..<Bounds.sweepSteps where progress == .more { progress = sweep.step() }
            }
        }
    }
}
