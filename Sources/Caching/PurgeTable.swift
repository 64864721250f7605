public import Primitives

/// What was purged and not yet applied to all entries of a shard.
///
///     records    [ tag 9f3… ][ glob /a/** ][ tag 9f3… ][ all ]     in the order of their times
///     newest     9f3… ─────────────────────────┘                   each knows the one before it
///     patterns                     └───────────────────────┘
///
/// An entry looks up the digests of what it is (key, tags, user, company) and compares itself with the patterns, but
/// only with what came since it looked last. Records leave from the front, once every entry has looked.
struct PurgeTable {
    private struct Record {
        let time: MonotonicTime
        /// The shard's revision that it made.
        let revision: UInt64
        let isSoft: Bool
        /// Of what it names, or 0 for a pattern.
        let digest: UInt64
        /// `nil` for everything.
        let pattern: PurgePattern?
        /// The record before it with the same digest, or −1.
        let previous: Int
    }

    private var records: [Record] = []
    /// The number of the first record; numbers are never used again.
    private var first = 0
    private var newest: [UInt64: Int] = [:]
    private var patterns: [Int] = []
    private var kinds = InlineArray<8, Int>(repeating: 0)
    private var kindOf: [UInt8] = []
    let seed: KeyedHasher.Seed

    init(seed: KeyedHasher.Seed) { self.seed = seed }

    var count: Int { records.count }
    var isEmpty: Bool { records.isEmpty }
    var patternCount: Int { patterns.count }

    /// Adds a record, which made the shard's `revision`. `now` is later than that of all before it, or taken as
    /// theirs: too late a time purges more, never less.
    mutating func add(_ compiled: CompiledPurge, at now: MonotonicTime, revision: UInt64) {
        let time = max(now, records.last?.time ?? now)
        let number = first + records.count
        let isPattern = compiled.digest == 0
        records.append(
            Record(
                time: time, revision: revision, isSoft: compiled.isSoft, digest: compiled.digest,
                pattern: compiled.pattern,
                previous: isPattern ? -1 : newest[compiled.digest] ?? -1))
        kindOf.append(compiled.kind.place)
        kinds[Int(compiled.kind.place)] += 1
        if isPattern { patterns.append(number) } else { newest[compiled.digest] = number }
    }

    /// Forgets the records made up to `revision` whose time is before `moment`.
    mutating func drop(upTo revision: UInt64, before moment: MonotonicTime) {
        var count = 0
        while count < records.count, records[count].revision <= revision,
            records[count].time < moment
        {
            let record = records[count]
            if record.digest != 0, newest[record.digest] == first + count {
                newest[record.digest] = nil
            }
            kinds[Int(kindOf[count])] -= 1
            count += 1
        }
        guard count > 0 else { return }
        records.removeFirst(count)
        kindOf.removeFirst(count)
        first += count
        patterns.removeAll { $0 < first }
    }

    /// Forgets the first 1/`part` of the records.
    ///
    /// - Returns: The revision of the last one of them.
    mutating func dropFirst(of part: Int) -> UInt64 {
        let last = records[(records.count - 1) / part].revision
        drop(upTo: last, before: .never)
        return last
    }

    /// Whether there is any record of `kind`.
    func has(_ kind: PurgeRecord.Kind) -> Bool { kinds[Int(kind.place)] > 0 }

    // MARK: Looking

    /// What the records made since `checked` mean for something that was asked for at `requested`. `checked`: `nil`
    /// for all records.
    func verdict(
        on subject: borrowing PurgeSubject, requested: MonotonicTime, since checked: UInt64?
    ) -> PurgeVerdict {
        var verdict = PurgeVerdict.untouched
        for i in patterns.indices.reversed() {
            let record = records[patterns[i] - first]
            guard concerns(record, requested, checked) else { break }
            if verdict.isBelow(record.isSoft, record.time),
                record.pattern.map({ subject.matches($0) }) ?? true
            {
                verdict.apply(isSoft: record.isSoft, at: record.time)
            }
        }
        guard !newest.isEmpty, verdict != .dead else { return verdict }
        subject.forEachDigest(in: self) { digest in
            var number = newest[digest] ?? -1
            while number >= first {
                let record = records[number - first]
                guard concerns(record, requested, checked) else { return }
                verdict.apply(isSoft: record.isSoft, at: record.time)
                number = record.previous
            }
        }
        return verdict
    }

    private func concerns(
        _ record: borrowing Record, _ requested: MonotonicTime, _ checked: UInt64?
    ) -> Bool {
        guard record.time >= requested else { return false }
        return checked.map { record.revision > $0 } ?? true
    }

    /// Whether a record since `moment` might mean an answer of which the tags are not known yet.
    func mayConcernTags(since moment: MonotonicTime) -> Bool {
        guard has(.tag) || has(.group) else { return false }
        for i in records.indices.reversed() {
            if records[i].time < moment { return false }
            if kindOf[i] == PurgeRecord.Kind.tag.place || kindOf[i] == PurgeRecord.Kind.group.place
            {
                return true
            }
        }
        return false
    }
}

/// What purges mean for one answer.
public enum PurgeVerdict: Sendable, BitwiseCopyable, Equatable {
    /// Nothing.
    case untouched
    /// It is stale since then.
    case stale(MonotonicTime)
    /// It is not to be used.
    case dead

    mutating func apply(isSoft: Bool, at time: MonotonicTime) {
        if !isSoft {
            self = .dead
        } else if case .stale(let since) = self {
            self = .stale(min(since, time))
        } else if self == .untouched {
            self = .stale(time)
        }
    }

    /// Whether a record would change it.
    func isBelow(_ isSoft: Bool, _ time: MonotonicTime) -> Bool {
        var other = self
        other.apply(isSoft: isSoft, at: time)
        return other != self
    }
}

/// A record made ready for comparing, once for all shards.
struct CompiledPurge {
    let kind: PurgeRecord.Kind
    let isSoft: Bool
    /// Of what it names; 0 for patterns.
    let digest: UInt64
    let pattern: PurgePattern?

    init(_ record: PurgeRecord, seed: KeyedHasher.Seed) {
        kind = record.kind
        isSoft = record.isSoft
        switch record.kind {
        case .key:
            digest = PurgeDigest.ofKey(record.value.span, seed: seed)
            pattern = nil
        case .tag, .group:
            digest = PurgeDigest.of(record.value.span, kind: record.kind, seed: seed)
            pattern = nil
        case .user:
            let part = CacheKey.part("|user=", value: record.value)
            digest = PurgeDigest.of(part.span, kind: .user, seed: seed)
            pattern = nil
        case .company:
            let part = CacheKey.part("|company=", value: record.value)
            digest = PurgeDigest.of(part.span, kind: .company, seed: seed)
            pattern = nil
        case .prefix, .glob:
            digest = 0
            pattern = PurgePattern(record.value, isGlob: record.kind == .glob)
        case .all:
            digest = 0
            pattern = nil
        }
    }
}

/// Digests of what purges name.
enum PurgeDigest {
    /// The digest of a key, the same as `MemoryStore`'s. 0 would mean none.
    static func ofKey(_ key: Span<UInt8>, seed: KeyedHasher.Seed) -> UInt64 {
        var hasher = KeyedHasher(seed: seed)
        hasher.append(key)
        return hasher.finish().low | 1
    }

    static func of(
        _ bytes: Span<UInt8>, kind: PurgeRecord.Kind, seed: KeyedHasher.Seed
    ) -> UInt64 {
        var hasher = KeyedHasher(seed: seed)
        // Keys begin with a brace: no digest of a tag is one of a key.
        hasher.append(kind.place)
        hasher.append(bytes)
        return hasher.finish().low | 1
    }
}

extension PurgeRecord.Kind {
    /// Its index among all kinds.
    var place: UInt8 {
        switch self {
        case .key: 0
        case .tag: 1
        case .group: 2
        case .prefix: 3
        case .glob: 4
        case .user: 5
        case .company: 6
        case .all: 7
        }
    }
}
