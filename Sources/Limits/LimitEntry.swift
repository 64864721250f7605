import Primitives

/// What is remembered about one key of one limit: 40 bytes, meant for a table of millions.
///
///     | digest 16 | position 8 | until 8 | kind 2 bits, detail 30 | amount 4 |
///
/// | | `position` | `until` | `detail` | `amount` |
/// | --- | --- | --- | --- | --- |
/// | token bucket | last change, monotonic | the TAT's nanoseconds | its fraction, 2⁻³⁰ ns | code of the interval |
/// | leaky bucket | the interval | the TAT, monotonic | – | – |
/// | fixed window | the window's end, wall clock | its end, monotonic, and a slack | shape of the window | count |
/// | sliding window | index of the newest sub-window | last moment it counts | counters | sum |
/// | sliding log | period's shape, moments that counted, next slot | last moment it counts | moments | their number |
/// | concurrency | – | never, or 0 | – | in flight |
///
/// Once the monotonic clock is past `until`, the entry says the same as no entry: it is *idle*.
struct LimitEntry: Sendable, BitwiseCopyable {
    /// Who is counted. All 128 bits are compared.
    var digest = Digest128(high: 0, low: 0)
    /// See the table above.
    var position: UInt64 = 0
    /// Monotonic nanoseconds; idle when the clock is past it.
    var until: UInt64 = 0
    private var tagged: UInt32 = 0
    /// See the table above.
    var amount: UInt32 = 0

    /// An empty slot.
    static var none: LimitEntry { LimitEntry() }

    private init() {}

    /// An entry that says the same as none, but may not be swept before the clock passes `now`.
    init(digest: Digest128, hasCounters: Bool, now: UInt64) {
        self.digest = digest
        until = now
        tagged = hasCounters ? 2 << 30 : 1 << 30
    }

    /// Whether the slot is empty.
    var isNone: Bool { tagged >> 30 == 0 }
    /// Whether the entry has ring counters to give back.
    var hasCounters: Bool { tagged >> 30 == 2 && detail != 0 }

    /// 30 bits of the algorithm's own.
    var detail: UInt32 {
        get { tagged & 0x3FFF_FFFF }
        set { tagged = (tagged & 0xC000_0000) | (newValue & 0x3FFF_FFFF) }
    }
}
