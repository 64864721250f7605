import Primitives

/// One decision on its way: the keys of a request, and the order in which their shards are locked.
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
        /// By how much the rate is divided: the replicas that count for themselves while Redis is away.
        var divisor: UInt8 = 1
        /// Where it is counted.
        var place = LimitShardState.Place.none
        /// Where its entry was found, unless it has moved since.
        var position: UInt32 = 0
        /// Whether this limit alone would let the request pass.
        var admits = false
    }

    /// The keys in the order of the policy; those in use come first.
    var items = InlineArray<8, Item>(
        repeating: Item(
            digest: Digest128(high: 0, low: 0), units: 0, rate: 0, state: 0, limit: 0, shard: 0,
            isShadow: false))
    /// Items in use.
    private(set) var count = 0
    /// The place of each item in the order of their shards.
    private var ranks = InlineArray<8, UInt8>(repeating: 0)
    /// The items in the order of their shards, once they are sorted.
    private(set) var order = InlineArray<8, UInt8>(repeating: 0)
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

    /// Adds an item.
    mutating func append(_ item: Item) {
        // Shards are random: sums instead of branches, which would be mispredicted.
        var rank: UInt8 = 0
        for other in 0..<count {
            let isBehind: UInt8 = items[other].shard > item.shard ? 1 : 0
            ranks[other] &+= isBehind
            rank &+= 1 &- isBehind
        }
        ranks[count] = rank
        items[count] = item
        count += 1
    }

    /// Finds the order of the items: by their shards, those of one shard as they were added.
    mutating func sort() {
        for index in 0..<count { order[Int(ranks[index])] = UInt8(truncatingIfNeeded: index) }
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
