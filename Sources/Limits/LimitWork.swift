import Primitives

/// One decision on its way: the keys of a request, in the order in which their shards are locked.
struct LimitWork: Sendable {
    /// One limit's key.
    struct Item: Sendable, BitwiseCopyable {
        /// Who is counted.
        var digest: Digest128
        /// What is charged.
        var units: UInt32
        /// Index of the rate in the policy.
        var rate: UInt16
        /// Index of the limit's state in the decision.
        var state: UInt8
        /// Index of the limit in the policy.
        var limit: UInt8
        /// Its shard.
        var shard: UInt8
        /// Whether the limit only records.
        var isShadow: Bool
        /// Where it is counted.
        var place = LimitShardState.Place.none
        /// Where its entry was found, unless it has moved since.
        var position: UInt32 = 0
        /// Whether this limit alone would let the request pass.
        var admits = false
    }

    /// The keys; those in use come first.
    var items = InlineArray<8, Item>(
        repeating: Item(
            digest: Digest128(high: 0, low: 0), units: 0, rate: 0, state: 0, limit: 0, shard: 0,
            isShadow: false))
    /// Items in use.
    private(set) var count = 0
    /// The clocks.
    let now: LimitMeter.Now
    /// Whether nothing is charged, whatever the outcome.
    let isPeek: Bool
    /// Whether a limit refuses the request because it lacks a part of its key.
    var isDenied = false
    private var isAdmitted = false

    /// Creates an empty decision.
    @inline(__always)
    init(at now: LimitMeter.Now, isPeek: Bool) {
        self.now = now
        self.isPeek = isPeek
    }

    /// Adds an item behind those of lower or equal shards.
    mutating func insert(_ item: Item) {
        var position = count
        while position > 0 && items[position - 1].shard > item.shard {
            items[position] = items[position - 1]
            position -= 1
        }
        items[position] = item
        count += 1
    }

    /// Counts the votes: every limit but shadow ones has a veto.
    mutating func vote() {
        isAdmitted = !isDenied
        for index in 0..<count where !items[index].admits && !items[index].isShadow {
            isAdmitted = false
        }
    }

    /// Whether the item is charged: a shadow limit as if it were alone, the others all or none.
    func charges(_ item: Item) -> Bool {
        !isPeek && (item.isShadow ? item.admits : isAdmitted)
    }
}
