public import Primitives

/// The purges of all processes that share a Redis, as far as answers that are stored there may be meant by one:
/// what such an answer is compared with before it is used.
///
///     numbered   [ 41 tag x ][ 42 /a/** ] … [ 90 all ]      up to the position
///     own        [ tag y ][ … ]      asked for in this process and not numbered yet: they mean every answer
///     floor      40: purges up to it are not known any more; answers with an earlier position are dead
///
/// One for the process. Workers ask and add what they purge; the thread that follows Redis adds the rest. A
/// lock is held for a look or an append; hits in memory never come here.
public final class PurgeHistory: Sendable {
    private struct State {
        var position: PurgePosition?
        var floor: UInt64 = 0
        var trustedUntil = MonotonicTime(nanoseconds: 0)
        var numbered: PurgeTable
        var own: OwnPurges
    }

    private let state: Guarded<State>
    private let seed: KeyedHasher.Seed

    /// A history of nothing. `seed`: the secret of its digests.
    public init(seed: KeyedHasher.Seed) {
        self.seed = seed
        state = Guarded(State(numbered: PurgeTable(seed: seed), own: OwnPurges(seed: seed)))
    }

    // MARK: For answers in Redis

    /// The position to be stored with an answer, read before the origin is asked; `nil`: none is known yet, the
    /// answer must not go to Redis.
    public var position: PurgePosition? { state.withLock { $0.position } }

    /// Whether all purges are known, so that answers from Redis may be used.
    public func isTrusted(at now: MonotonicTime) -> Bool {
        state.withLock { now < $0.trustedUntil }
    }

    /// What purges mean for an answer that was read from Redis.
    ///
    /// - Parameters:
    ///   - stored: The answer.
    ///   - position: The position that it was stored with.
    ///   - now: The present; a moment since the answer arrived here.
    /// - Returns: `nil` when it cannot be known now, since purges may have been missed.
    public func verdict(
        on stored: StoredResponse, at position: PurgePosition, now: MonotonicTime
    ) -> PurgeVerdict? {
        let key = stored.head.key
        let base = key.span.extracting(0..<CacheKey.baseCount(of: key.span))
        // No purge could name it.
        guard base.count <= CacheBounds.purgeBytes else { return .dead }
        let subject = PurgeSubject(
            key: key, base: PurgeDigest.ofKey(base, seed: seed), tags: stored.head.tags)
        return state.withLock { state in
            guard now < state.trustedUntil, let reached = state.position else { return nil }
            guard position.generation == reached.generation, position.sequence >= state.floor
            else { return .dead }
            let always = MonotonicTime(nanoseconds: 0)
            var verdict = state.numbered.verdict(
                on: subject, requested: always, since: position.sequence)
            switch state.own.verdict(on: subject) {
            case .untouched: break
            case .stale(let since): verdict.apply(isSoft: true, at: since)
            case .dead: verdict = .dead
            }
            return verdict
        }
    }

    /// Whether an answer in Redis is dead for good: a purge that has a number means it. Holds also while purges may have
    /// been missed.
    ///
    /// - Parameters:
    ///   - key: Its key.
    ///   - tags: Those of its tags that are to be compared.
    ///   - position: The position that it was stored with; `nil`: one before all purges that are known.
    /// - Returns: Whether it may be thrown away.
    public func isDead(key: [UInt8], tags: CacheTags, at position: PurgePosition?) -> Bool {
        let base = key.span.extracting(0..<CacheKey.baseCount(of: key.span))
        let subject = PurgeSubject(
            key: key, base: PurgeDigest.ofKey(base, seed: seed), tags: tags)
        return state.withLock { state in
            guard let reached = state.position else { return false }
            if let position {
                guard position.generation == reached.generation,
                    position.sequence >= state.floor
                else { return true }
            }
            let verdict = state.numbered.verdict(
                on: subject, requested: MonotonicTime(nanoseconds: 0), since: position?.sequence)
            return verdict == .dead
        }
    }

    // MARK: For who follows Redis

    /// Adds a purge that was asked for in this process. It waits to be sent (`takeOwn`).
    public func addOwn(_ record: PurgeRecord, at now: MonotonicTime) {
        state.withLock { $0.own.add(record, at: now) }
    }

    /// Begins a sequence: answers of another generation, or with an earlier position, are dead from now on.
    public func begin(at floor: PurgePosition) {
        state.withLock { state in
            state.position = floor
            state.floor = floor.sequence
            state.numbered = PurgeTable(seed: seed)
        }
    }

    /// Takes the next entry of the sequence.
    ///
    /// - Parameters:
    ///   - record: The purge; `nil` for an entry that only begins a generation.
    ///   - position: Its number, one beyond the last one's.
    ///   - now: The present.
    /// - Returns: Whether it is a purge of this process.
    public func add(
        _ record: PurgeRecord?, at position: PurgePosition, now: MonotonicTime
    ) -> Bool {
        let compiled = record.map { CompiledPurge($0, seed: seed) }
        return state.withLock { state in
            state.position = position
            guard let compiled, let record else { return false }
            state.numbered.add(compiled, at: now, revision: position.sequence)
            if state.numbered.count > CacheBounds.purgeHistory
                || state.numbered.patternCount > CacheBounds.purgeHistoryPatterns
            {
                // A sixteenth at once: the front of an array is dear to remove.
                state.floor = state.numbered.dropFirst(of: 16)
            }
            return state.own.settle(record.id)
        }
    }

    /// Lets answers from Redis be used until `end`; a moment in the past ends that.
    public func trust(until end: MonotonicTime) { state.withLock { $0.trustedUntil = end } }

    /// Takes the first own purges that wait; `noteSent` or `noteFailed` follows.
    public func takeOwn(atMost count: Int) -> [PurgeRecord] {
        state.withLock { $0.own.take(atMost: count) }
    }

    /// Notes that Redis has what was taken.
    public func noteSent(at now: MonotonicTime) { state.withLock { $0.own.noteSent(at: now) } }

    /// Notes that Redis may not have what was taken.
    public func noteFailed() { state.withLock { $0.own.noteFailed() } }

    /// The identifier of the last own purge that Redis is not known to have.
    public var lastWaiting: UInt64? { state.withLock { $0.own.lastWaiting } }

    /// Whether Redis is not known to have the own purge `id`.
    public func isWaiting(_ id: UInt64) -> Bool { state.withLock { $0.own.isWaiting(id) } }

    /// Sends again what Redis may have lost: it has begun anew.
    ///
    /// - Returns: How many purges are sent again.
    @discardableResult
    public func sendAgain(at now: MonotonicTime) -> Int {
        state.withLock { $0.own.sendAgain(at: now) }
    }

    /// What is known, for people.
    public var counts: Counts {
        state.withLock { state in
            Counts(
                position: state.position, floor: state.floor, records: state.numbered.count,
                waiting: state.own.waitingCount)
        }
    }

    /// How much is known.
    public struct Counts: Sendable, Equatable {
        /// How far Redis was followed.
        public var position: PurgePosition?
        /// Answers with an earlier number are dead.
        public var floor: UInt64
        /// Purges that answers are compared with.
        public var records: Int
        /// Own purges that Redis does not have.
        public var waiting: Int
    }
}
