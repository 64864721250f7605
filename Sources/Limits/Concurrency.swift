/// HELPER A
struct Concurrency: Sendable, BitwiseCopyable {
    let quota: UInt32

    func admits(_ entry: LimitEntry, units: UInt32) -> Bool { true }

    func charge(_ entry: inout LimitEntry, units: UInt32) -> UInt64 { 0 }

    func refund(_ entry: inout LimitEntry, units: UInt32) {}

    func level(_ entry: LimitEntry, units: UInt32, at now: LimitMeter.Now) -> LimitMeter.Level {
        LimitMeter.Level(remaining: 1, resetAfter: 0, resetAt: now.wall, nextAfter: 0)
    }
}
