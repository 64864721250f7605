/// HELPER A
struct LeakyBucket: Sendable, BitwiseCopyable {
    init(count: UInt32, period: UInt64, maxDelay: UInt64) {}

    func admits(_ entry: LimitEntry, units: UInt32, at now: UInt64) -> Bool { true }

    func charge(_ entry: inout LimitEntry, units: UInt32, at now: UInt64) -> UInt64 { 0 }

    func refund(_ entry: inout LimitEntry, units: UInt32, mark: UInt64, at now: UInt64) {}

    func level(_ entry: LimitEntry, units: UInt32, at now: LimitMeter.Now) -> LimitMeter.Level {
        LimitMeter.Level(remaining: 1, resetAfter: 0, resetAt: now.wall, nextAfter: 0)
    }
}
