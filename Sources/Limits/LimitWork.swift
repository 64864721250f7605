import Primitives

/// One decision on its way: the keys of a request, in the order in which their shards are locked.
struct LimitWork: Sendable {
    /// One limit's key.
    struct Item: Sendable, BitwiseCopyable {
        /// Who is counted.
        var digest: Digest128
        /// The shared bucket when there is no room.
        var bucket: Digest128
        /// Index of the limit in its policy.
        var limit: UInt8
        /// Its shard.
        var shard: UInt8
        /// Whether the limit only records.
        var isShadow: Bool
        /// Index of the rate in its policy.
        var rate: Int
        /// Where it is counted.
        var place = LimitShardState.Place.none
        /// Whether this limit alone would let the request pass.
        var admits = false
        /// How full the key is after the decision.
        var level = LimitMeter.Level(remaining: 0, resetAfter: 0, nextAfter: 0)
    }

    private var items: InlineArray<8, Item>
    /// Items in use.
    private(set) var count = 0
    /// The clocks.
    let now: LimitMeter.Now
    /// Whether a limit refuses the request because it lacks its user or company.
    var isDenied = false
    private var isAdmitted = false

    /// Creates an empty decision.
    init(at now: LimitMeter.Now) {
        let zero = Digest128(high: 0, low: 0)
        items = InlineArray(
            repeating: Item(
                digest: zero, bucket: zero, limit: 0, shard: 0, isShadow: false, rate: 0))
        self.now = now
    }

    subscript(index: Int) -> Item {
        get { items[index] }
        _modify { yield &items[index] }
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
    func charges(_ index: Int) -> Bool {
        items[index].isShadow ? items[index].admits : isAdmitted
    }
}
