import Primitives

/// When the answers of all identities for one target were last invalidated.
///
/// An unsafe-method request of one user must invalidate what is stored for all (RFC 9111 §4.4), without a walk over
/// all their entries: the moment is noted once, and an entry asked for before it is dead. A record
/// lives as long as the shard has an entry for its target, so the table is never larger than the store.
struct BaseTable {
    private struct Record {
        var entries = 0
        var invalidated: MonotonicTime?
    }

    private var records: [UInt64: Record] = [:]
    private var invalidatedCount = 0

    /// Counts an entry of `base`; 0 is no base.
    mutating func add(_ base: UInt64) {
        guard base != 0 else { return }
        records[base, default: Record()].entries += 1
    }

    mutating func remove(_ base: UInt64) {
        guard base != 0, var record = records[base] else { return }
        record.entries -= 1
        if record.entries == 0 {
            if record.invalidated != nil { invalidatedCount -= 1 }
            records[base] = nil
        } else {
            records[base] = record
        }
    }

    /// Returns whether there is an entry of `base`.
    mutating func invalidate(_ base: UInt64, at now: MonotonicTime) -> Bool {
        guard var record = records[base] else { return false }
        if record.invalidated == nil { invalidatedCount += 1 }
        record.invalidated = now
        records[base] = record
        return true
    }

    /// Whether an entry that was asked for at `requested` is dead.
    func isInvalid(_ base: UInt64, requested: MonotonicTime) -> Bool {
        guard invalidatedCount > 0, base != 0, let moment = records[base]?.invalidated else {
            return false
        }
        return requested <= moment
    }
}
