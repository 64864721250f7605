public import Primitives
import Synchronization

/// The first answers to requests with an Idempotency-Key, and the keys whose first request still runs. One per
/// process, shared by all workers.
///
/// What a key promises must hold for its whole time, so nothing leaves before it has expired: when the budget
/// is used up, new keys are refused. The budget counts keys, heads, bodies and the table's own words; a
/// lock for each of 16 shards.
///
///     key ─► running(ticket) ─► done(answer) ─► expired
///                    │      └─► notKept ──────► expired
///                    └─► (abandoned: as if it had never been)
public final class IdempotencyStore: Sendable {
    /// A running first request; ends with `finish` or `abandon`.
    public struct Ticket: Sendable {
        let key: [UInt8]
        let serial: UInt64
    }

    /// What a request with a key does.
    public enum Claim: Sendable {
        /// It is the first: the origin is asked.
        case first(Ticket)
        /// It gets the answer of the first.
        case replay(StoredResponse)
        /// The first is still running.
        case running
        /// The key was used for another request.
        case mismatch
        /// The first has been answered, but its answer was too large to be kept.
        case notKept
        /// There is no room for another key.
        case full
    }

    private enum State {
        case running(UInt64)
        case done(StoredResponse)
        case notKept
    }

    private struct Entry {
        let fingerprint: ContentDigest
        var state: State
        var cost: Int
    }

    private struct Table {
        var entries: [[UInt8]: Entry] = [:]
        var expiry = ExpiryHeap()
        var serial: UInt64 = 0
    }

    private final class Shard: Sendable {
        let table = Guarded(Table())
    }

    private let shards = (0..<16).map { _ in Shard() }
    // Relaxed, all of them: bounds and counts need no order with anything.
    private let bytesMax: Atomic<Int>
    private let used = Atomic<Int>(0)
    private let keys = Atomic<Int>(0)
    private let lost = Atomic<UInt64>(0)

    /// Creates an empty store with a budget of `bytes`.
    public init(bytes: Int) { bytesMax = Atomic(bytes) }

    /// Bytes in use.
    public var bytes: Int { used.load(ordering: .relaxed) }
    /// Keys that are known now.
    public var keyCount: Int { keys.load(ordering: .relaxed) }
    /// Answers that were too large to be kept, or found no room.
    public var answersNotKept: UInt64 { lost.load(ordering: .relaxed) }

    /// Changes the budget. Nothing leaves; with less than is in use new keys are refused until some expire.
    public func resize(bytes: Int) { bytesMax.store(bytes, ordering: .relaxed) }

    /// Finds out what a request does, and makes it the first where there is none.
    ///
    /// - Parameters:
    ///   - key: Route, caller and the client's key.
    ///   - fingerprint: Of method, target and content.
    ///   - now: The present.
    /// - Returns: What the request does; who is the first must end its ticket.
    public func claim(
        key: [UInt8], fingerprint: ContentDigest, at now: MonotonicTime
    ) -> Claim {
        let claim = tryClaim(key, fingerprint, now)
        guard case .full = claim else { return claim }
        // Expired keys of other shards may hold the room.
        for shard in shards { shard.table.withLock { expire(&$0, at: now) } }
        return tryClaim(key, fingerprint, now)
    }

    private func tryClaim(
        _ key: [UInt8], _ fingerprint: ContentDigest, _ now: MonotonicTime
    ) -> Claim {
        shard(key).table.withLock { table in
            expire(&table, at: now)
            if let entry = table.entries[key] {
                guard entry.fingerprint == fingerprint else { return .mismatch }
                switch entry.state {
                case .running: return .running
                case .done(let answer): return .replay(answer)
                case .notKept: return .notKept
                }
            }
            let cost = ByteCost.idempotency(key)
            guard reserve(cost, leaving: CacheBounds.idempotencyRoom) else { return .full }
            table.serial += 1
            let ticket = Ticket(key: key, serial: table.serial)
            table.entries[key] = Entry(
                fingerprint: fingerprint, state: .running(ticket.serial), cost: cost)
            keys.add(1, ordering: .relaxed)
            return .first(ticket)
        }
    }

    /// What a request would find, without becoming the first; `nil`: nothing is known of the key.
    public func peek(key: [UInt8], fingerprint: ContentDigest, at now: MonotonicTime) -> Claim? {
        shard(key).table.withLock { table in
            expire(&table, at: now)
            guard let entry = table.entries[key] else { return nil }
            guard entry.fingerprint == fingerprint else { return .mismatch }
            switch entry.state {
            case .running: return .running
            case .done(let answer): return .replay(answer)
            case .notKept: return .notKept
            }
        }
    }

    /// Keeps the answer to a first request until `expires`; `nil`, or one that finds no room: retries are told
    /// that it was not kept.
    public func finish(_ ticket: Ticket, with answer: StoredResponse?, expires: MonotonicTime) {
        shard(ticket.key).table.withLock { table in
            guard var entry = table.entries[ticket.key], isRunning(entry, ticket) else { return }
            if let answer, reserve(answer.byteCost, leaving: 0) {
                entry.state = .done(answer)
                entry.cost += answer.byteCost
            } else {
                entry.state = .notKept
                lost.add(1, ordering: .relaxed)
            }
            table.entries[ticket.key] = entry
            table.expiry.insert(ticket.key, expires: expires)
        }
    }

    /// Forgets a first request that got no answer: the next one with its key is the first again.
    public func abandon(_ ticket: Ticket) {
        shard(ticket.key).table.withLock { table in
            guard let entry = table.entries[ticket.key], isRunning(entry, ticket) else { return }
            remove(ticket.key, from: &table)
        }
    }

    private func isRunning(_ entry: Entry, _ ticket: Ticket) -> Bool {
        guard case .running(let serial) = entry.state else { return false }
        return serial == ticket.serial
    }

    private func expire(_ table: inout Table, at now: MonotonicTime) {
        while let key = table.expiry.popExpired(at: now) { remove(key, from: &table) }
    }

    private func remove(_ key: [UInt8], from table: inout Table) {
        guard let entry = table.entries.removeValue(forKey: key) else { return }
        used.subtract(entry.cost, ordering: .relaxed)
        keys.subtract(1, ordering: .relaxed)
    }

    /// Counts `cost`; `false` (and not counted) when less than `room` would be left.
    private func reserve(_ cost: Int, leaving room: Int) -> Bool {
        let most = bytesMax.load(ordering: .relaxed) - room
        if used.add(cost, ordering: .relaxed).newValue <= most { return true }
        used.subtract(cost, ordering: .relaxed)
        return false
    }

    private func shard(_ key: [UInt8]) -> Shard {
        shards[Int(truncatingIfNeeded: UInt(bitPattern: key.hashValue) >> 8) & 15]
    }
}

extension ByteCost {
    /// A key in the table and in the heap, which share its block; both double, and are half full.
    static func idempotency(_ key: [UInt8]) -> Int { 256 + block(key.count) }
}
