/// The ghost queue of S3-FIFO: the tags of entries that left the small queue a short time ago.
///
/// A table of fixed size, four places to a bucket, each with half of a tag and the number of bytes that had
/// left when it was put in. An entry counts while fewer bytes than `window` have left since. A false
/// positive (2⁻³⁰ or so) puts an entry into the wrong queue, which does no harm.
struct GhostQueue {
    private var places: [UInt64]
    private let window: UInt32
    /// Units of 64 bytes that have left, wrapping.
    private var clock: UInt32 = 1

    /// Creates a queue for `window` bytes, in about 1/256 of that much memory.
    init(window: Int) {
        var count = 64
        while count * 2048 < window && count < 1 << 16 { count *= 2 }
        places = Array(repeating: 0, count: count)
        self.window = UInt32(clamping: window / 64)
    }

    /// The bytes of the table itself.
    var byteCost: Int { places.count * 8 }

    mutating func insert(_ tag: UInt64, bytes: Int) {
        clock &+= UInt32(clamping: max(1, bytes / 64))
        let bucket = self.bucket(tag)
        var oldest = bucket
        for i in bucket..<bucket + 4 where age(places[i]) > age(places[oldest]) { oldest = i }
        places[oldest] = (tag & ~0xFFFF_FFFF) | UInt64(clock)
    }

    /// Whether `tag` left a short time ago; it is then forgotten.
    mutating func remove(_ tag: UInt64) -> Bool {
        let bucket = self.bucket(tag)
        for i in bucket..<bucket + 4
        where places[i] >> 32 == tag >> 32 && age(places[i]) <= window {
            places[i] = 0
            return true
        }
        return false
    }

    private func bucket(_ tag: UInt64) -> Int {
        Int(truncatingIfNeeded: tag) & (places.count - 1) & ~3
    }

    private func age(_ place: UInt64) -> UInt32 {
        place == 0 ? .max : clock &- UInt32(truncatingIfNeeded: place)
    }
}
