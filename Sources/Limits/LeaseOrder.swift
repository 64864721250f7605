/// What a process tells and asks Redis about its lease of one key. Sent once, never again: what is told twice
/// would count twice.
public struct LeaseOrder: Sendable, BitwiseCopyable, Equatable {
    /// The lease that is told about, as the grant named it; 0: none.
    public var mark: Int64 = 0
    /// Units of it that were spent. Only buckets count what is outstanding and want to know.
    public var spent: UInt32 = 0
    /// Units of it that are given back.
    public var back: UInt32 = 0
    /// Units of it that are held on to, with the deadline of the new grant. Of buckets only: in windows the
    /// deadline of a lease is that of its window.
    public var keep: UInt32 = 0
    /// Units that requests are waiting for.
    public var need: UInt32 = 0
    /// Units that are wanted in all: what goes beyond `need` is granted as far as it is a fair part of what is left.
    public var want: UInt32 = 0

    /// Creates an order that says nothing.
    public init() {}

    /// Whether units are asked for.
    public var asks: Bool { want > 0 }

    /// The numbers of an order and its terms in the script's arguments.
    static let argumentCount = 10

    /// The script's arguments of one key.
    public func arguments(_ terms: LeaseTerms) -> InlineArray<10, Int64> {
        [
            terms.kind.rawValue, terms.capacity, terms.length, terms.detail, mark, Int64(spent),
            Int64(back), Int64(keep), Int64(need), Int64(want),
        ]
    }
}

/// What Redis answers to an order.
public struct LeaseGrant: Sendable, BitwiseCopyable, Equatable {
    /// Units granted.
    public var granted: UInt32
    /// Units of the old lease that have the new deadline, all that were to be kept or none.
    public var kept: UInt32
    /// The name of the lease: what `LeaseOrder.mark` says later.
    public var mark: Int64
    /// Microseconds until the lease ends, counted from a moment after the order was sent.
    public var left: Int64
    /// Units that are left in Redis.
    public var available: UInt32
    /// Microseconds until as many units are there as were asked for and not granted, or one, if nothing is given
    /// back; 0 when they are there, and −1 when there can never be so many.
    public var wait: Int64
    /// Microseconds until nothing is counted any more, if nothing is asked for.
    public var reset: Int64

    /// Integers that the script answers for each key.
    public static let count = 7

    /// Reads the `count` integers of one key; `nil` when they cannot be what the script says.
    public init?(_ values: some Collection<Int64>) {
        var values = values.makeIterator()
        guard let granted = values.next().flatMap(UInt32.init(exactly:)),
            let kept = values.next().flatMap(UInt32.init(exactly:)), let mark = values.next(),
            let left = values.next(), let available = values.next().flatMap(UInt32.init(exactly:)),
            let wait = values.next(), let reset = values.next(), values.next() == nil,
            left >= 0, wait >= -1, reset >= 0
        else { return nil }
        self.init(
            granted: granted, kept: kept, mark: mark, left: left, available: available,
            wait: wait, reset: reset)
    }

    /// Creates a grant.
    public init(
        granted: UInt32, kept: UInt32, mark: Int64, left: Int64, available: UInt32, wait: Int64,
        reset: Int64
    ) {
        self.granted = granted
        self.kept = kept
        self.mark = mark
        self.left = left
        self.available = available
        self.wait = wait
        self.reset = reset
    }
}
