import Caching
import EventLoop
import HTTPModel
import Primitives
import RedisClient

/// A fetch's part in the second level: it looks there before it asks the origin, and writes there what it stored.
extension CacheFetch {
    /// What a look into Redis came to.
    enum SharedLook {
        /// A fresh answer was there: the fetch has ended with it.
        case ended
        /// No fresh answer was there.
        case nothing
        /// Nobody knows. That is no miss: it is counted apart, and the origin is asked as it is without Redis. What
        /// memory may serve stale it has served already.
        case unavailable
    }

    /// Looks into Redis before the origin is asked; whether the fetch has ended with what was there.
    func endsInRedis() async -> Bool {
        guard let second else { return false }
        let look = await look(in: second, isFirst: true)
        guard case .nothing = look, cache.policy.collapsesFleet else { return look == .ended }
        return await endsWithFleet(second)
    }

    /// Looks for a fresh answer. A stale one is kept for asking the origin about it, where memory has none.
    func look(in second: SecondLevel, isFirst: Bool = false) async -> SharedLook {
        guard let purges = worker.shared.fleet?.purges, purges.isTrusted(at: now) else {
            // Purges may have been missed: what is there may be dead.
            if isFirst { second.noteUnavailable() }
            return .unavailable
        }
        let deadline = second.client.deadline
        // Whoever looks again knows that something has just been written, which a replica may not have yet.
        if isFirst, second.readsReplicas, await isInReplica(second, purges) { return .ended }
        let found = await second.find(
            key: fill.key, for: request, scope: cache.scope, in: .master, until: deadline)
        guard let use = use(of: found, purges) else {
            if isFirst { second.noteUnavailable() }
            return .unavailable
        }
        if isFirst { second.note(use) }
        switch use {
        case .serve(let stored):
            if !isFirst { second.note(use) }
            end(with: stored)
            return .ended
        case .serveStale(let stored):
            if takesStale, fill.complete(withStale: stored) {
                outcome = .done
                return .ended
            }
            if fill.stored == nil { revived = stored }
        case .validate(let stored): if fill.stored == nil { revived = stored }
        case .none: break
        }
        return .nothing
    }

    /// Looks into Redis and no further; whether there is something in the store now.
    func endsWithLook() async -> Bool {
        defer { fill.release(at: now) }
        guard let second else { return false }
        takesStale = true
        return await look(in: second, isFirst: true) == .ended
    }

    /// Looks for a fresh answer in a replica; whether the fetch has ended with it. Only that counts: what a replica does
    /// not have, has too old or does not say in time, its master is asked for.
    private func isInReplica(_ second: SecondLevel, _ purges: PurgeHistory) async -> Bool {
        let found = await second.find(
            key: fill.key, for: request, scope: cache.scope, in: .replica,
            until: second.replicaDeadline)
        if case .unavailable = found {
            second.note(.failed)
            return false
        }
        guard let use = use(of: found, purges), case .serve(let stored) = use else {
            second.note(.nothing)
            return false
        }
        second.note(.hit)
        second.note(use)
        end(with: stored)
        return true
    }

    private func end(with stored: StoredResponse) {
        fill.complete(withShared: stored)
        outcome = .done
    }

    /// What is to be done with what was found; `nil`: nobody knows.
    private func use(of found: SecondLevel.Found, _ purges: PurgeHistory) -> SharedAnswer.Use? {
        switch found {
        case .unavailable: return nil
        case .nothing: return SharedAnswer.Use.none
        case .answer(let answer):
            guard
                let verdict = purges.verdict(
                    on: answer.stored, at: PurgePosition(word: answer.position), now: now)
            else { return nil }
            let key = fill.key
            return answer.use(
                key: key.span, request: request, rules: cache, verdict: verdict,
                known: fill.stored, at: now)
        }
    }

    /// Writes a stored answer to Redis; nothing waits for it.
    func share(_ stored: StoredResponse) {
        guard let second, let position else { return }
        let isSent = second.put(stored, scope: cache.scope, position: position)
        endLease(eachForItself: isSent ? .zero : CacheBounds.hitForMiss)
    }
}
