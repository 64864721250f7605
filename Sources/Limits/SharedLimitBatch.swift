public import Primitives

/// What one call of the script is asked: the decisions of one turn of the loop, in order.
///
///     | rates | 5 integers a rate | command | command | …
///
///     decision:  n, shadows, n × (key, rate, units)     n limits, all or none; 16 + n: only a look
///     charge:    32, key, rate, units                    whatever is left
///     refund:    33, key, rate, units, mark              what a charge took, as far as it still counts
///
/// `key` is the place in `keys`, from 1; `rate` the place of the rate, from 0; `shadows` has a bit for each limit that
/// only records; `mark` is `resetAt` of the charge's answer. Each limit of a command is answered by a
/// `SharedLimitLevel`, in the same order.
public struct SharedLimitBatch: Sendable {
    /// The number of keys the script is given.
    public var keyCount: Int { keyEnds.count }
    /// The levels its answer has so far.
    public private(set) var levels = 0

    // All keys one behind the other, and where each ends: a list of lists would be memory for each key.
    private var keyBytes: [UInt8] = []
    private var keyEnds: [Int] = []
    private var places: [Digest128: Int] = [:]
    private var rates: [SharedLimitRate] = []
    /// The rates as they are sent.
    private var packedRates: [UInt8] = []
    private var commands: [UInt8] = []
    private var integers = 0

    private static let peekBit: Int64 = 16
    private static let charge: Int64 = 32
    private static let refund: Int64 = 33

    /// Creates an empty batch.
    public init() {}

    /// Whether nothing is asked.
    public var isEmpty: Bool { levels == 0 }
    /// Whether the script can be asked no more in one call.
    public var isFull: Bool {
        // No decision has more keys than levels, and no more than `limitsMax` of them.
        levels + LimitBounds.limitsMax > LimitBounds.batchLevelsMax
    }

    /// Forgets all that was asked and keeps the memory.
    public mutating func removeAll() {
        keyBytes.removeAll(keepingCapacity: true)
        keyEnds.removeAll(keepingCapacity: true)
        places.removeAll(keepingCapacity: true)
        rates.removeAll(keepingCapacity: true)
        packedRates.removeAll(keepingCapacity: true)
        commands.removeAll(keepingCapacity: true)
        integers = 0
        levels = 0
    }

    /// The place of a key by what tells keys apart under the secret of the process; `nil`: it is a new one.
    public func place(of digest: Digest128) -> Int? { places[digest] }

    /// Adds a new key.
    ///
    /// - Returns: Its place, from 1.
    public mutating func add(_ key: Span<UInt8>, _ digest: Digest128) -> Int {
        keyBytes.append(key)
        keyEnds.append(keyBytes.count)
        places[digest] = keyEnds.count
        return keyEnds.count
    }

    /// A key, by its place from 0.
    @_lifetime(borrow self)
    public borrowing func key(at index: Int) -> Span<UInt8> {
        let start = index == 0 ? 0 : keyEnds[index - 1]
        return keyBytes.span(ByteRange(start: start, count: keyEnds[index] - start))
    }

    /// The bytes of all keys together.
    public var keyByteCount: Int { keyBytes.count }

    /// Begins a decision: `count` limits follow, 1 to 8.
    ///
    /// - Returns: Where its levels begin in the answer.
    public mutating func beginDecision(_ count: Int, shadows: UInt8, isPeek: Bool) -> Int {
        add(Int64(count) + (isPeek ? Self.peekBit : 0))
        add(Int64(shadows))
        return levels
    }

    /// Adds a limit to the decision.
    public mutating func addLimit(key: Int, _ rate: SharedLimitRate, units: UInt32) {
        addTarget(key, rate, units)
    }

    /// Charges `units`, whatever is left.
    ///
    /// - Returns: Where its level stands in the answer.
    @discardableResult
    public mutating func addCharge(key: Int, _ rate: SharedLimitRate, units: UInt32) -> Int {
        add(Self.charge)
        return addTarget(key, rate, units)
    }

    /// Gives `units` back that a charge took, as far as they still count.
    ///
    /// - Returns: Where its level stands in the answer.
    @discardableResult
    public mutating func addRefund(
        key: Int, _ rate: SharedLimitRate, units: UInt32, mark: Int64
    ) -> Int {
        add(Self.refund)
        let place = addTarget(key, rate, units)
        add(mark)
        return place
    }

    /// The bytes of the script's argument.
    public var argumentByteCount: Int {
        PackedIntegers.headerBytes + PackedIntegers.byteCount(of: Int64(rates.count))
            + packedRates.count + commands.count
    }

    /// Appends the script's argument.
    public func appendArgument(to bytes: inout [UInt8]) {
        PackedIntegers.appendHeader(1 + 5 * rates.count + integers, to: &bytes)
        PackedIntegers.append(Int64(rates.count), to: &bytes)
        bytes.append(packedRates.span)
        bytes.append(commands.span)
    }

    private mutating func add(_ number: Int64) {
        PackedIntegers.append(number, to: &commands)
        integers += 1
    }

    @discardableResult
    private mutating func addTarget(_ key: Int, _ rate: SharedLimitRate, _ units: UInt32) -> Int {
        add(Int64(key))
        add(Int64(place(of: rate)))
        add(Int64(units))
        levels += 1
        return levels - 1
    }

    /// Mostly there are few rates; of many only the last ones are looked at, and one may stand twice.
    private mutating func place(of rate: SharedLimitRate) -> Int {
        for index in rates.indices.suffix(LimitBounds.batchRatesSeen).reversed()
        where rates[index] == rate {
            return index
        }
        rates.append(rate)
        PackedIntegers.append(Int64(rate.kind.rawValue), to: &packedRates)
        PackedIntegers.append(rate.quota, to: &packedRates)
        PackedIntegers.append(rate.step, to: &packedRates)
        PackedIntegers.append(rate.span, to: &packedRates)
        PackedIntegers.append(rate.keep, to: &packedRates)
        return rates.count - 1
    }
}
