/// HELPER A
struct SlidingLog: Sendable, BitwiseCopyable {
    let quota: UInt32
    let period: UInt64

    init(quota: UInt32, period: UInt64) {
        self.quota = quota
        self.period = period
    }

    var counterWords: Int { 8 }

    func admits(
        _ entry: inout LimitEntry, counters: inout CounterSlab, units: UInt32, at now: UInt64
    ) -> Bool { true }

    func charge(
        _ entry: inout LimitEntry, counters: inout CounterSlab, units: UInt32, at now: UInt64
    ) -> UInt64 { 0 }

    func refund(
        _ entry: inout LimitEntry, counters: inout CounterSlab, units: UInt32, mark: UInt64,
        at now: UInt64
    ) {}

    func level(
        _ entry: LimitEntry, counters: borrowing CounterSlab, units: UInt32, at now: LimitMeter.Now
    ) -> LimitMeter.Level {
        LimitMeter.Level(remaining: quota, resetAfter: 0, resetAt: now.wall, nextAfter: 0)
    }
}
