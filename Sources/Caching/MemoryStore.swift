public import HTTPModel
public import Primitives
import Synchronization

/// The first level of the cache: one per process, shared by all workers.
///
/// Keys are spread over shards by a keyed digest; each shard has its lock, its part of the byte budget and its
/// S3-FIFO queues (standards A8). A hit takes one lock and allocates nothing. The budget counts heads, bodies,
/// keys and what objects and index add; bodies in running fills have a budget of their own, a quarter as
/// large. Locks are taken in the order shard, fill, and never two of a kind.
public final class MemoryStore: Sendable {
    private final class Shard: Sendable {
        let state: Mutex<StoreShard>
        init(budget: Int) { state = Mutex(StoreShard(budget: budget)) }
    }

    private let shards: [Shard]
    private let seed: KeyedHasher.Seed
    private let fillBytes = Atomic<Int>(0)
    private let fillBytesMax: Int
    /// The largest cost of an entry, head and all, in bytes: half of a shard.
    public let entryBytesMax: Int

    /// Creates an empty store.
    ///
    /// - Parameters:
    ///   - bytes: The budget. A shard has at least 16 MiB of it, or all.
    ///   - seed: The secret of the digests; simulations give a fixed one.
    public init(bytes: Int, seed: KeyedHasher.Seed) {
        var count = 1
        while count < CacheBounds.shardsMax && bytes / (count * 2) >= CacheBounds.shardBytesMin {
            count *= 2
        }
        let budget = max(0, bytes / count)
        shards = (0..<count).map { _ in Shard(budget: budget) }
        self.seed = seed
        fillBytesMax = max(1 << 20, bytes / CacheBounds.fillShare)
        entryBytesMax = budget / 2
    }

    private func tag(_ key: Span<UInt8>) -> UInt64 {
        var hasher = KeyedHasher(seed: seed)
        hasher.append(key)
        // 0 means no base.
        return hasher.finish().low | 1
    }

    private func shard(_ tag: UInt64) -> Shard {
        // The index and the ghost queue take other bits.
        shards[Int(truncatingIfNeeded: tag >> 56) & (shards.count - 1)]
    }
}

// MARK: Looking up

extension MemoryStore {
    /// The stored answer to `request`, fresh or not; `nil` when there is none. No fetch is joined or begun.
    public func lookup(key: Span<UInt8>, request: borrowing RequestHead) -> StoredResponse? {
        let tag = tag(key)
        return shard(tag).state.withLock { shard in
            let node = shard.select(tag, key, request.fields)
            guard node >= 0 else { return nil }
            shard.touch(node)
            return shard.nodes[Int(node)].stored
        }
    }

    /// Decides what a request does, and joins or begins a fetch, in one step under the shard's lock
    /// (RFC 9111 §4, cases `9111-4-…`).
    ///
    /// - Parameters:
    ///   - key: From `CacheKey.build`.
    ///   - request: The request; `CacheBypass.reason` had nothing against it.
    ///   - rules: The route's rules.
    ///   - now: The present.
    ///   - random: The worker's, for early refresh.
    /// - Returns: What the request does; a `lead` or `refresh` must end its fill.
    public func lookupOrJoin(
        key: Span<UInt8>, request: borrowing RequestHead, rules: CacheRules,
        now: MonotonicTime, random: inout SeededRandom
    ) -> CacheLookup {
        let tag = tag(key)
        return shard(tag).state.withLock { shard in
            let result = decide(
                &shard, tag: tag, key: key, request: request, rules: rules, now: now,
                random: &random)
            switch result {
            case .hit, .refresh, .stale: shard.counts.hits += 1
            case .follow:
                shard.counts.misses += 1
                shard.counts.followers += 1
            case .lead, .bypass, .onlyIfCached: shard.counts.misses += 1
            }
            return result
        }
    }

    private func decide(
        _ shard: inout StoreShard, tag: UInt64, key: Span<UInt8>,
        request: borrowing RequestHead, rules: CacheRules, now: MonotonicTime,
        random: inout SeededRandom
    ) -> CacheLookup {
        let demands =
            rules.listensToClients
            ? CacheDirectives(ofRequest: request.fields) : CacheDirectives()
        // Stored answers to nobody in particular are not for requests with credentials (RFC 9111 §3.5).
        let hasCredentials = !rules.hasIdentity && request.fields.contains(.authorization)
        let node = shard.select(tag, key, request.fields)
        let found = node >= 0 ? shard.nodes[Int(node)].stored : nil
        let isReadable = !hasCredentials || (found?.head.lifetime.isForEverybody ?? false)
        var query = MissQuery(
            tag: tag, now: now, stored: isReadable ? found : nil, demands: demands,
            hasCredentials: hasCredentials && !(found != nil && isReadable))
        if let stored = query.stored {
            switch stored.use(at: now, demands: demands, early: rules.earlyRefresh, random: &random)
            {
            case .serve:
                shard.touch(node)
                guard case .stale = stored.freshness(at: now) else { return .hit(stored) }
                return .stale(stored, .maxStale)
            case .serveAndRefresh:
                shard.touch(node)
                query.reason = .stale
                return refresh(
                    &shard, query, stored, node: node, key: key, request: request, rules: rules)
            case .validate:
                if shard.nodes[Int(node)].heldUntil > now, !demands.flags.contains(.noCache),
                    stored.mayServeStale(onErrorAt: now)
                {
                    return .stale(stored, .onError)
                }
                if case .fresh = stored.freshness(at: now), !stored.head.lifetime.mustValidate {
                    query.reason = .request
                } else {
                    query.reason = .stale
                }
            }
        } else if found != nil {
            query.reason = .bypass
        } else {
            query.reason = shard.chain(tag, key) >= 0 ? .varyMiss : .uriMiss
        }
        return miss(&shard, query, key: key, request: request, rules: rules)
    }

    /// What a lookup knows when the store has no answer to give.
    private struct MissQuery {
        let tag: UInt64
        let now: MonotonicTime
        let stored: StoredResponse?
        let demands: CacheDirectives
        let hasCredentials: Bool
        var reason = CacheStatus.Forward.uriMiss
    }

    /// Serves and begins a refresh, unless one runs, the origin failed a moment ago, or it is a HEAD.
    private func refresh(
        _ shard: inout StoreShard, _ query: MissQuery, _ stored: StoredResponse, node: Int32,
        key: Span<UInt8>, request: borrowing RequestHead, rules: CacheRules
    ) -> CacheLookup {
        let isHeld = shard.nodes[Int(node)].heldUntil > query.now
        let isRunning = shard.fills[query.tag]?.contains { $0.stored === stored } ?? false
        if isHeld || isRunning || request.method == .head {
            guard case .stale = stored.freshness(at: query.now) else { return .hit(stored) }
            return .stale(stored, .whileRevalidating)
        }
        let fill = begin(
            &shard, query, key: key, request: request, rules: rules,
            isCollapsing: rules.collapses)
        return .refresh(stored, fill)
    }

    private func miss(
        _ shard: inout StoreShard, _ query: MissQuery, key: Span<UInt8>,
        request: borrowing RequestHead, rules: CacheRules
    ) -> CacheLookup {
        if query.demands.flags.contains(.onlyIfCached) { return .onlyIfCached }
        if request.method == .head { return .bypass(.headNotStored) }
        var isCollapsing = rules.collapses && !query.hasCredentials
        if isCollapsing, let end = shard.passes[passTag(query.tag, request, rules)] {
            isCollapsing = false
            if query.now < end {
                if query.stored == nil { return .bypass(.hitForMiss) }
            } else {
                // One request tries whether the answers can be shared by now; nobody waits for it.
                shard.passes[passTag(query.tag, request, rules)] =
                    query.now + CacheBounds.hitForMiss
            }
        }
        if isCollapsing, let running = shard.fills[query.tag] {
            for fill in running
            where fill.isCollapsing && fill.hasKey(key) && fill.suits(request.fields) {
                if let reader = fill.join() { return .follow(fill, reader) }
                if fill.isFull { return .bypass(.tooManyFollowers) }
            }
        }
        let fill = begin(
            &shard, query, key: key, request: request, rules: rules, isCollapsing: isCollapsing)
        guard let reader = fill.joinAsOwner() else { return .bypass(.tooManyFollowers) }
        return .lead(FillLead(fill: fill, reader: reader, reason: query.reason))
    }

    /// Registers a fill.
    private func begin(
        _ shard: inout StoreShard, _ query: MissQuery, key: Span<UInt8>,
        request: borrowing RequestHead, rules: CacheRules, isCollapsing: Bool
    ) -> Fill {
        let names = shard.variantNames(shard.chain(query.tag, key))
        let baseCount = rules.hasIdentity ? CacheKey.baseCount(of: key) : key.count
        let fill = Fill(
            store: self, key: key.copied, tag: query.tag,
            base: baseCount < key.count ? tag(key.extracting(0..<baseCount)) : 0,
            passTag: passTag(query.tag, request, rules), stored: query.stored,
            expected: names.isEmpty ? nil : VariantKey(names: names, request: request.fields),
            isCollapsing: isCollapsing, bytesMax: min(rules.policy.maxObject, entryBytesMax),
            started: query.now)
        shard.fills[query.tag, default: []].append(fill)
        return fill
    }

    /// Requests with cookies are told apart: theirs may be unshareable where others' are not.
    private func passTag(
        _ tag: UInt64, _ request: borrowing RequestHead, _ rules: CacheRules
    ) -> UInt64 {
        !rules.hasIdentity && request.fields.contains(.cookie) ? tag ^ 2 : tag
    }
}

// MARK: Changing

extension MemoryStore {
    /// Puts a whole answer in, over one with the same keys. One that costs more than `entryBytesMax` is
    /// refused, and so is one that is not storable.
    ///
    /// - Returns: Whether it was put in.
    @discardableResult
    public func insert(_ response: StoredResponse) -> Bool {
        guard response.head.isStorable, response.byteCost <= entryBytesMax else { return false }
        let keyBytes = response.head.key
        let key = keyBytes.span
        let tag = tag(key)
        let baseCount = CacheKey.baseCount(of: key)
        let base = baseCount < key.count ? self.tag(key.extracting(0..<baseCount)) : 0
        // What leaves is freed after the lock.
        let left = shard(tag).state.withLock { $0.insert(response, tag: tag, base: base) }
        return left.isEmpty || left.allSatisfy { $0 !== response }
    }

    /// Removes all variants of exactly this key. Running fetches of it will not be stored.
    public func remove(key: Span<UInt8>) {
        let tag = tag(key)
        let left = shard(tag).state.withLock { shard in
            shard.fills[tag]?.removeAll { $0.hasKey(key) }
            if shard.fills[tag]?.isEmpty == true { shard.fills[tag] = nil }
            return shard.removeAll(tag, key)
        }
        _ = left.count
    }

    /// Invalidates what is stored for a target, for all identities and variants, and what is being fetched
    /// (RFC 9111 §4.4): no later request gets an answer that was asked for before `now`.
    ///
    /// - Parameters:
    ///   - base: From `CacheKey.buildBase`.
    ///   - now: When the answer to the unsafe request arrived.
    public func invalidate(base: Span<UInt8>, at now: MonotonicTime) {
        remove(key: base)
        let tag = tag(base)
        for shard in shards {
            shard.state.withLock { shard in
                shard.invalidate(base: tag, at: now)
                for key in shard.fills.keys {
                    shard.fills[key]?.removeAll { $0.base == tag }
                }
                shard.fills = shard.fills.filter { !$0.value.isEmpty }
            }
        }
    }

    /// What the store holds and has done.
    public func statistics() -> StoreCounts {
        var sum = StoreCounts()
        for shard in shards {
            sum.add(
                shard.state.withLock { shard in
                    var counts = shard.counts
                    counts.bytes = shard.bytes
                    counts.entries = shard.entryCount
                    counts.fills = shard.fills.values.reduce(0) { $0 + $1.count }
                    return counts
                })
        }
        return sum
    }
}

// MARK: For fills

extension MemoryStore {
    /// Counts bytes of a running fill; `false` when they are too many.
    func reserveFillBytes(_ count: Int) -> Bool {
        // Relaxed: a bound on memory needs no order with anything.
        if fillBytes.add(count, ordering: .relaxed).newValue <= fillBytesMax { return true }
        fillBytes.subtract(count, ordering: .relaxed)
        return false
    }

    func returnFillBytes(_ count: Int) {
        if count > 0 { fillBytes.subtract(count, ordering: .relaxed) }
    }

    /// Bytes in running fills.
    var runningBytes: Int { fillBytes.load(ordering: .relaxed) }

    /// Ends a fill's registration; whether it still had one.
    private static func unregister(_ fill: Fill, in shard: inout StoreShard) -> Bool {
        guard let index = shard.fills[fill.tag]?.firstIndex(where: { $0 === fill }) else {
            return false
        }
        shard.fills[fill.tag]?.remove(at: index)
        if shard.fills[fill.tag]?.isEmpty == true { shard.fills[fill.tag] = nil }
        return true
    }

    /// Stores a fill's answer, unless its target was invalidated meanwhile.
    func complete(_ fill: Fill, with response: StoredResponse) -> Bool {
        let isSmall = response.byteCost <= entryBytesMax
        let left = shard(fill.tag).state.withLock { shard -> [StoredResponse]? in
            guard MemoryStore.unregister(fill, in: &shard) else { return nil }
            guard isSmall else {
                shard.counts.tooLarge += 1
                return nil
            }
            if !response.head.lifetime.mustValidate
                && response.head.initialAge < response.head.lifetime.fresh
            {
                shard.passes[fill.passTag] = nil
            }
            return shard.insert(response, tag: fill.tag, base: fill.base)
        }
        return left?.allSatisfy { $0 !== response } ?? false
    }

    /// Ends a fill that stores nothing.
    func forget(_ fill: Fill, isTooLarge: Bool = false) {
        shard(fill.tag).state.withLock { shard in
            _ = MemoryStore.unregister(fill, in: &shard)
            if isTooLarge { shard.counts.tooLarge += 1 }
        }
    }

    /// Removes the answer that a fill was begun for: the origin no longer lets it be stored.
    func discardStored(of fill: Fill) {
        let left = shard(fill.tag).state.withLock { $0.remove(fill.stored, tag: fill.tag) }
        _ = left?.byteCost
    }

    /// Remembers that answers to the fill's key cannot be shared.
    func pass(_ fill: Fill, at now: MonotonicTime) {
        guard fill.isCollapsing else { return }
        shard(fill.tag).state.withLock { shard in
            if shard.passes.count >= CacheBounds.passesPerShard {
                shard.passes.removeAll(keepingCapacity: true)
            }
            shard.passes[fill.passTag] = now + CacheBounds.hitForMiss
        }
    }

    func hold(_ fill: Fill, _ stored: StoredResponse, until: MonotonicTime) {
        shard(fill.tag).state.withLock { $0.hold(fill.tag, stored, until: until) }
    }
}
