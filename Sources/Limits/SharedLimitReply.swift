/// What the script says of one limit.
public struct SharedLimitLevel: Sendable, BitwiseCopyable, Equatable {
    /// Whether this limit alone let the request pass.
    public let admits: Bool
    /// Units that could be taken now.
    public let remaining: Int64
    /// Microseconds until nothing is counted any more.
    public let resetAfter: Int64
    /// Microseconds until as many units could be taken as were asked for; below 0: never.
    public let nextAfter: Int64
}

/// The script's answer: its time, and a level for each limit that was asked for. Read again and again, it keeps its
/// memory.
public struct SharedLimitReply: Sendable, Equatable {
    /// The clock of Redis, in microseconds since the Unix epoch.
    public private(set) var now: Int64 = 0
    /// The levels in the order of the batch.
    public private(set) var levels: [SharedLimitLevel] = []

    /// An answer about nothing.
    public init() {}

    /// Reads an answer; `nil` when it is not `count` levels.
    public init?(_ bytes: Span<UInt8>, levels count: Int) {
        guard read(bytes, levels: count) else { return nil }
    }

    /// Becomes what the answer says; `false` when it is not `count` levels.
    public mutating func read(_ bytes: Span<UInt8>, levels count: Int) -> Bool {
        levels.removeAll(keepingCapacity: true)
        guard var reader = PackedIntegers.Reader(bytes), reader.count == 1 + 3 * count,
            let now = reader.next()
        else { return false }
        self.now = now
        levels.reserveCapacity(count)
        for _ in 0..<count {
            guard let left = reader.next(), let reset = reader.next(), let after = reader.next()
            else { return false }
            // A limit that refuses has its remaining units below zero, less one.
            levels.append(
                SharedLimitLevel(
                    admits: left >= 0, remaining: left >= 0 ? left : -1 - left,
                    resetAfter: max(reset, 0), nextAfter: after))
        }
        return true
    }

    /// What a refund of a charge with this level wants to know: the moment its key counts nothing any more.
    public func mark(_ level: SharedLimitLevel) -> Int64 { now + level.resetAfter }
}
