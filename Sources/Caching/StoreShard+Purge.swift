import Primitives

/// Where a shard's sweep stands.
struct SweepState {
    /// The next node to look at.
    var node = 0
    /// The revision that the nodes before it have looked at.
    var goal: UInt64 = 0
    /// Whether a pass is under way.
    var isRunning = false
}

/// Purges: each entry looks, when it is next used or swept, at what came since it looked last.
extension StoreShard {
    /// Compares an entry with what was purged and invalidated since it looked last: it is removed, or its lifetime is
    /// cut, or it stays as it is.
    ///
    /// - Returns: The answer when it was removed, to be freed.
    mutating func settle(_ node: Int32) -> StoredResponse? {
        let entry = nodes[Int(node)]
        guard entry.checked != revision, let stored = entry.stored else { return nil }
        if bases.isInvalid(entry.base, requested: stored.head.requested) { return remove(node) }
        var since: MonotonicTime?
        if !purges.isEmpty {
            let subject = PurgeSubject(
                key: stored.head.key, base: entry.base == 0 ? entry.tag : entry.base,
                tags: stored.head.tags)
            switch purges.verdict(
                on: subject, requested: stored.head.requested, since: entry.checked)
            {
            case .untouched: break
            case .stale(let moment):
                counts.softened += 1
                since = moment
            case .dead:
                counts.purged += 1
                return remove(node)
            }
        }
        nodes[Int(node)].stored = stored.adjusted(factor: factor, staleSince: since)
        nodes[Int(node)].checked = revision
        return nil
    }

    /// The same for all variants of an answer's key; returns those that were removed.
    mutating func settleVariants(_ tag: UInt64, of stored: StoredResponse) -> [StoredResponse] {
        var left: [StoredResponse] = []
        var node = chain(tag, of: stored)
        while node >= 0 {
            let next = nodes[Int(node)].nextVariant
            if let dead = settle(node) { left.append(dead) }
            node = next
        }
        return left
    }

    /// An answer as it may be stored now; `nil` when it was purged while it was fetched.
    func admitted(_ new: StoredResponse, tag: UInt64, base: UInt64) -> StoredResponse? {
        var since: MonotonicTime?
        if !purges.isEmpty {
            let subject = PurgeSubject(
                key: new.head.key, base: base == 0 ? tag : base, tags: new.head.tags)
            switch purges.verdict(on: subject, requested: new.head.requested, since: nil) {
            case .untouched: break
            case .stale(let moment): since = moment
            case .dead: return nil
            }
        }
        return new.adjusted(factor: factor, staleSince: since)
    }

    /// Whether something was purged, since the fetch began, that its answer may be: who comes now must not wait
    /// for it.
    func isPurged(_ fill: Fill) -> Bool {
        guard !purges.isEmpty else { return false }
        let head = fill.head
        let subject = PurgeSubject(
            key: fill.key, base: fill.base == 0 ? fill.tag : fill.base, tags: head?.tags)
        if purges.verdict(on: subject, requested: fill.started, since: nil) != .untouched {
            return true
        }
        return head == nil && purges.mayConcernTags(since: fill.started)
    }

    /// Adds a record; `false` when there is no room: sweep first.
    mutating func purge(_ purge: CompiledPurge, at now: MonotonicTime) -> Bool {
        guard purges.count < CacheBounds.purgeRecords else { return false }
        revision += 1
        purges.add(purge, at: now, revision: revision)
        return true
    }

    /// Multiplies the lifetimes of all entries by `factor`, in thousandths, from their next use on.
    mutating func multiplyLifetimes(by factor: UInt32) {
        self.factor = factor
        revision += 1
    }

    /// Lets the next entries look, and forgets the records at which all have.
    ///
    /// A record stays as long as a fetch runs that began before it: the answer is compared when it is stored.
    mutating func sweepStep() -> (left: [StoredResponse], progress: SweepProgress) {
        guard !purges.isEmpty else { return ([], .done) }
        if !sweep.isRunning { sweep = SweepState(node: 0, goal: revision, isRunning: true) }
        var left: [StoredResponse] = []
        let end = min(sweep.node + CacheBounds.sweepStep, nodes.count)
        while sweep.node < end {
            if let dead = settle(Int32(sweep.node)) { left.append(dead) }
            sweep.node += 1
        }
        guard sweep.node == nodes.count else { return (left, .more) }
        purges.drop(upTo: sweep.goal, before: oldestFill)
        if purges.isEmpty {
            sweep.isRunning = false
            return (left, .done)
        }
        if sweep.goal != revision {
            sweep.isRunning = false
            return (left, .more)
        }
        return (left, .waiting)
    }

    /// When the oldest running fetch began.
    private var oldestFill: MonotonicTime {
        var oldest = MonotonicTime.never
        for fills in fills.values { for fill in fills { oldest = min(oldest, fill.started) } }
        return oldest
    }

    /// Gives up storing what is being fetched, so that the next sweep makes room for another record.
    mutating func forgetFills() { fills.removeAll() }
}

/// How far a sweep is.
public enum SweepProgress: Sendable, BitwiseCopyable, Equatable {
    /// There is more to look at.
    case more
    /// All is looked at; records wait for fetches that began before them.
    case waiting
    /// Nothing is left to do.
    case done
}
