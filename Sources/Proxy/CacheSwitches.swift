public import Caching
public import Primitives
import Synchronization

/// What an operator may turn in an incident, and what was purged since the start: one for the process.
public final class CacheSwitches: Sendable {
    /// Something that an operator has turned, or that ended by itself.
    public enum Change: Sendable, Equatable {
        /// All requests go past the cache, until then (`nil`: until it is turned off).
        case bypassed(until: WallTime?)
        /// The cache is used again.
        case used
        /// Lifetimes are multiplied by so many thousandths; 1000 is their own length.
        case lifetimes(factor: UInt32, until: WallTime?)
    }

    /// How the switches stand.
    public struct State: Sendable {
        /// Whether requests go past the cache.
        public var isBypassed = false
        /// When that ends by itself.
        public var bypassEnds: ClockReading?
        /// By which lifetimes are multiplied, in thousandths.
        public var factor: UInt32 = 1000
        /// When that ends by itself.
        public var factorEnds: ClockReading?
        /// Purges by kind of record.
        public var purges = PurgeCounts()

        /// Whether anything is turned.
        public var isTurned: Bool { isBypassed || factor != 1000 }
    }

    // Read by every request that might use the cache; it orders nothing.
    private let bypass = Atomic<Bool>(false)
    private let guarded = Guarded(State())

    init() {}

    /// A factor as people write it.
    public static func text(ofFactor factor: UInt32) -> String {
        let buffer = ByteBuffer(capacity: 64)
        buffer.append(thousandths: factor)
        return buffer.readable.text
    }

    /// How they stand.
    public var state: State { guarded.withLock { $0 } }

    /// Whether requests go past the cache.
    var isBypassed: Bool { bypass.load(ordering: .relaxed) }

    /// Makes all requests go past the cache, or use it again.
    ///
    /// - Parameters:
    ///   - isOn: Whether they go past it.
    ///   - end: When that ends by itself (`endDue`).
    /// - Returns: What changed; `nil`: nothing did.
    public func bypass(_ isOn: Bool, until end: ClockReading? = nil) -> Change? {
        guarded.withLock { state in
            if state.isBypassed == isOn, state.bypassEnds == nil, end == nil { return nil }
            state.isBypassed = isOn
            state.bypassEnds = isOn ? end : nil
            bypass.store(isOn, ordering: .relaxed)
            return isOn ? .bypassed(until: end?.wall) : .used
        }
    }

    /// Multiplies the lifetimes of what `store` has and gets.
    ///
    /// - Returns: What changed; `nil`: nothing did.
    public func multiplyLifetimes(
        of store: MemoryStore, by factor: UInt32, until end: ClockReading? = nil
    ) -> Change? {
        guarded.withLock { state in
            if state.factor == factor, state.factorEnds == nil, end == nil { return nil }
            state.factor = factor
            state.factorEnds = factor == 1000 ? nil : end
            // Under the lock, so that the last one to say so is the last one to do so.
            store.multiplyLifetimes(by: factor)
            return .lifetimes(factor: factor, until: end?.wall)
        }
    }

    /// Ends what was to end by `now`.
    ///
    /// - Returns: What changed, and when the next end is due.
    public func endDue(at now: MonotonicTime, in store: MemoryStore) -> ([Change], MonotonicTime?) {
        guarded.withLock { state in
            var changes: [Change] = []
            if let end = state.bypassEnds, end.monotonic <= now {
                state.isBypassed = false
                state.bypassEnds = nil
                bypass.store(false, ordering: .relaxed)
                changes.append(.used)
            }
            if let end = state.factorEnds, end.monotonic <= now {
                state.factor = 1000
                state.factorEnds = nil
                store.multiplyLifetimes(by: 1000)
                changes.append(.lifetimes(factor: 1000, until: nil))
            }
            let ends = [state.bypassEnds, state.factorEnds].compactMap { $0?.monotonic }
            return (changes, ends.min())
        }
    }

    /// Counts a purge.
    func notePurge(_ kind: PurgeRecord.Kind) { guarded.withLock { $0.purges.add(kind) } }
}

/// How often each kind of purge was asked for.
public struct PurgeCounts: Sendable, Equatable {
    private var counts: [PurgeRecord.Kind: UInt64] = [:]

    /// How often `kind` was.
    public subscript(kind: PurgeRecord.Kind) -> UInt64 { counts[kind] ?? 0 }

    mutating func add(_ kind: PurgeRecord.Kind) { counts[kind, default: 0] += 1 }
}
