import Primitives

/// The purges of this process on their way into Redis.
///
///     waiting ──take──► flying ──sent──► kept, for when Redis loses them
///        ▲────failed───────┘
///     unsettled: all that have not come back with a number
///
/// Beyond `CacheBounds.purgeQueue` what waits becomes one purge of everything: more is purged, never less.
struct OwnPurges {
    private var waiting: [PurgeRecord] = []
    private var flying: [PurgeRecord] = []
    private var kept: [(record: PurgeRecord, sent: MonotonicTime)] = []
    /// When the youngest of those was sent that are not kept any more for want of room.
    private var droppedSent: MonotonicTime?
    private var unsettled: PurgeTable
    /// The identifiers behind `unsettled`, whose revisions count up from `firstRevision`; 0: settled.
    private var identifiers: [UInt64] = []
    private var firstRevision: UInt64 = 1

    init(seed: KeyedHasher.Seed) { unsettled = PurgeTable(seed: seed) }

    /// Purges that Redis is not known to have.
    var waitingCount: Int { waiting.count + flying.count }

    var lastWaiting: UInt64? { (waiting.last ?? flying.last)?.id }

    func isWaiting(_ id: UInt64) -> Bool {
        waiting.contains { $0.id == id } || flying.contains { $0.id == id }
    }

    func verdict(on subject: borrowing PurgeSubject) -> PurgeVerdict {
        guard !unsettled.isEmpty else { return .untouched }
        return unsettled.verdict(
            on: subject, requested: MonotonicTime(nanoseconds: 0), since: nil)
    }

    mutating func add(_ record: PurgeRecord, at now: MonotonicTime) {
        var record = record
        if waiting.count >= CacheBounds.purgeQueue
            || identifiers.count >= 2 * CacheBounds.purgeQueue
        {
            record = OwnPurges.everything(record)
            waiting = []
            unsettled = PurgeTable(seed: unsettled.seed)
            firstRevision += UInt64(identifiers.count)
            identifiers = []
        }
        waiting.append(record)
        identifiers.append(record.id)
        unsettled.add(
            CompiledPurge(record, seed: unsettled.seed), at: now,
            revision: firstRevision + UInt64(identifiers.count - 1))
    }

    /// A purge of everything in place of `record` and others.
    private static func everything(_ record: PurgeRecord) -> PurgeRecord {
        PurgeRecord(id: record.id, kind: .all, value: [], isSoft: false, time: record.time)
    }

    /// Notes that a purge has come back with its number; `false` when it is not one of these.
    mutating func settle(_ id: UInt64) -> Bool {
        guard id != 0, let index = identifiers.firstIndex(of: id) else { return false }
        identifiers[index] = 0
        let settled = identifiers.firstIndex { $0 != 0 } ?? identifiers.count
        guard settled > 0 else { return true }
        identifiers.removeFirst(settled)
        firstRevision += UInt64(settled)
        unsettled.drop(upTo: firstRevision - 1, before: .never)
        return true
    }

    /// The first purges that wait, to be sent; `noteSent` or `noteFailed` follows.
    mutating func take(atMost count: Int) -> [PurgeRecord] {
        precondition(flying.isEmpty)
        flying = Array(waiting.prefix(count))
        waiting.removeFirst(flying.count)
        return flying
    }

    /// Redis has what was taken.
    mutating func noteSent(at now: MonotonicTime) {
        for record in flying { kept.append((record, now)) }
        flying = []
        let surplus = kept.count - CacheBounds.purgeQueue
        guard surplus > 0 else { return }
        droppedSent = kept[surplus - 1].sent
        kept.removeFirst(surplus)
    }

    /// It may not have it: it is sent once more, and known by its identifiers if it has.
    mutating func noteFailed() {
        waiting = flying + waiting
        flying = []
    }

    /// Puts what was sent in the last `CacheBounds.purgeKept` before what waits.
    ///
    /// - Returns: How many purges that makes.
    mutating func sendAgain(at now: MonotonicTime) -> Int {
        let recent = kept.filter { now - $0.sent <= CacheBounds.purgeKept }.map(\.record)
        let isWhole = droppedSent.map { now - $0 > CacheBounds.purgeKept } ?? true
        kept = []
        droppedSent = nil
        guard let last = recent.last else { return 0 }
        if isWhole {
            waiting = recent + waiting
            return recent.count
        }
        var all = OwnPurges.everything(last)
        // The purge whose place it takes may be known already.
        all.id = ~last.id
        waiting = [all] + waiting
        return 1
    }
}
