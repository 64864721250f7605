public import Primitives

/// One process's reading of the sequence of all purges: announcements come as they are made, and what they leave out is
/// read from Redis.
///
///     announced ─► next in order ─► taken          doubled or old ─► dropped
///              └─► not the next ──► read from the last one on, that one included:
///                                     it is there, and the same ─► taken up to the end: complete
///                                     it has left the list      ─► what lies between was missed
///                                     another one is there      ─► Redis has lost purges: a new generation
///
/// A value without clock and connection: time is an argument, and who follows Redis carries out what it says.
public struct PurgeFeed: Sendable {
    /// What is to be done about what arrived, in this order.
    public enum Effect: Sendable, Equatable {
        /// A sequence begins, behind this position.
        case begin(PurgePosition)
        /// The next entry; `isKnown`: this purge was here before, in another place.
        case entry(PurgeEntry, isKnown: Bool)
        /// Purges are missing: everything that was asked for until now is to be purged.
        case missed
        /// Redis may have lost purges of this process.
        case sendAgain
    }

    /// What is to be asked of Redis next.
    public enum Question: Sendable, Equatable {
        /// Nothing: all is known.
        case none
        /// The entries from this number on, itself included.
        case read(from: UInt64)
        /// To begin a new generation, unless this one has ended already.
        case renew(generation: UInt32)
    }

    /// How far it has come; `nil`: nothing is known.
    public private(set) var position: PurgePosition?
    /// What is to be asked next. Announcements are not taken until it is answered.
    public private(set) var question = Question.read(from: 0)
    /// How often it has read what announcements left out.
    public private(set) var readings: UInt64 = 0

    /// The entry at the position, where it was seen.
    private var last: PurgeEntry?
    /// When all was known last.
    private var confirmed: MonotonicTime?
    private var known = KnownPurges()
    /// The last announcement that came while a question was open, and was not taken.
    private var unheard: PurgePosition?

    /// Knows nothing, and begins with a reading.
    public init() {}

    /// Takes an announcement.
    public mutating func receive(_ entry: PurgeEntry, at now: MonotonicTime) -> [Effect] {
        guard question == .none, let position else {
            unheard = entry.position
            return []
        }
        guard entry.position.generation == position.generation else {
            ask()
            return []
        }
        if entry.position.sequence <= position.sequence { return [] }
        guard entry.position.sequence == position.sequence + 1 else {
            ask()
            return []
        }
        confirmed = now
        return [take(entry)]
    }

    /// Notes what the last position is said to be.
    public mutating func note(_ end: PurgePosition, at now: MonotonicTime) {
        guard question == .none, let position else { return }
        // An earlier one was said before what was announced meanwhile.
        if end.generation != position.generation || end.sequence > position.sequence {
            ask()
        } else if end == position {
            confirmed = now
        }
    }

    /// Announcements may have been missed.
    public mutating func interrupt() {
        if question == .none { ask() }
    }

    /// Takes the answer to a reading.
    public mutating func read(_ page: PurgePage, at now: MonotonicTime) -> [Effect] {
        guard case .read(let from) = question else { return [] }
        guard let position else {
            return from == 0 ? begin(page, at: now) : []
        }
        guard page.end.generation == position.generation else {
            let isVouchedFor = confirmed.map { now - $0 <= CacheBounds.purgeKept } ?? false
            self.position = nil
            last = nil
            question = .read(from: 0)
            return isVouchedFor ? [.sendAgain] : [.missed, .sendAgain]
        }
        if page.first > position.sequence + 1 {
            last = nil
            return [.missed] + begin(page, at: now)
        }
        guard page.end.sequence >= position.sequence, isContinued(by: page, position) else {
            question = .renew(generation: position.generation)
            return []
        }
        return follow(page, from: position, at: now)
    }

    /// A new generation has begun, or there was one already.
    public mutating func renewed() {
        if case .renew = question { ask() }
    }

    private mutating func ask() {
        question = .read(from: position?.sequence ?? 0)
        readings += 1
    }

    private mutating func begin(_ page: PurgePage, at now: MonotonicTime) -> [Effect] {
        let floor = PurgePosition(
            generation: page.end.generation, sequence: max(page.first, 1) - 1)
        position = floor
        return [.begin(floor)] + follow(page, from: floor, at: now)
    }

    /// Whether the entry at the position is the one that was seen here.
    private func isContinued(by page: PurgePage, _ position: PurgePosition) -> Bool {
        guard let last, page.first <= position.sequence else { return true }
        return page.entries.first == last
    }

    private mutating func follow(
        _ page: PurgePage, from position: PurgePosition, at now: MonotonicTime
    ) -> [Effect] {
        var effects: [Effect] = []
        for entry in page.entries where entry.position.sequence > position.sequence {
            effects.append(take(entry))
        }
        let reached = self.position ?? position
        if reached.sequence >= page.end.sequence {
            question = .none
            confirmed = now
            // Made after the page was read, or before it.
            if let unheard { note(unheard, at: now) }
            unheard = nil
        } else {
            question = .read(from: reached.sequence)
        }
        return effects
    }

    private mutating func take(_ entry: PurgeEntry) -> Effect {
        position = position?.at(entry.position.sequence)
        last = entry
        let isKnown = entry.record.map { known.insert($0.id) } ?? false
        return .entry(entry, isKnown: isKnown)
    }
}

/// Identifiers of the latest purges.
private struct KnownPurges {
    private var places: Set<UInt64> = []
    private var order: [UInt64] = []
    private var next = 0

    /// Adds one; `true` when it was there.
    mutating func insert(_ id: UInt64) -> Bool {
        guard places.insert(id).inserted else { return true }
        if order.count < CacheBounds.purgeIdentifiers {
            order.append(id)
        } else {
            places.remove(order[next])
            order[next] = id
            next = (next + 1) % order.count
        }
        return false
    }
}
