public import HTTPModel
public import Primitives

extension MemoryStore {
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
            let found = find(
                &shard, tag: tag, key: key, request: request, rules: rules,
                early: rules.earlyRefresh, now: now, random: &random)
            let result =
                use(&shard, found, key: key, request: request, rules: rules)
                ?? miss(&shard, found.query, key: key, request: request, rules: rules)
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

    /// The same for a request that is to have a stored answer or none: `nil`, and nothing begun or counted,
    /// where it would have to be fetched. Never `lead`, `follow`, `bypass` or `onlyIfCached`.
    public func lookupStored(
        key: Span<UInt8>, request: borrowing RequestHead, rules: CacheRules,
        now: MonotonicTime, random: inout SeededRandom
    ) -> CacheLookup? {
        let tag = tag(key)
        return shard(tag).state.withLock { shard in
            let found = find(
                &shard, tag: tag, key: key, request: request, rules: rules,
                early: rules.earlyRefresh, now: now, random: &random)
            let result = use(&shard, found, key: key, request: request, rules: rules)
            if result != nil { shard.counts.hits += 1 }
            return result
        }
    }

    /// What `lookupOrJoin` would find stored now. Begins, joins and counts nothing.
    public func peek(
        key: Span<UInt8>, request: borrowing RequestHead, rules: CacheRules, now: MonotonicTime
    ) -> CachePeek {
        let tag = tag(key)
        // An early refresh would serve what is stored, too.
        return shard(tag).state.withLock { shard in
            let found = find(
                &shard, tag: tag, key: key, request: request, rules: rules, now: now)
            if let stored = found.stored {
                switch found.use {
                case .serve(let reason): return .stored(stored, reason)
                case .refresh:
                    guard case .stale = stored.freshness(at: now) else {
                        return .stored(stored, nil)
                    }
                    return .stored(stored, .whileRevalidating)
                case .none: break
                }
            }
            switch way(shard, found.query, key: key, request: request, rules: rules) {
            case .onlyIfCached: return .onlyIfCached
            case .around(let reason): return .around(reason)
            case .fetch, .fetchPart: return .fetch(found.query.reason)
            }
        }
    }

    /// What is stored for a request. Not copied, because a copy counts references for every answer in it.
    struct Found: ~Copyable {
        /// What it is good for.
        enum Use: BitwiseCopyable {
            case serve(CacheLookup.StaleReason?)
            case refresh
            case none
        }

        var query: MissQuery
        let node: Int32
        let stored: StoredResponse?
        var use = Use.none
    }

    /// What is stored for a request, where no early refresh may begin: no chance is drawn.
    func find(
        _ shard: inout StoreShard, tag: UInt64, key: Span<UInt8>,
        request: borrowing RequestHead, rules: CacheRules, now: MonotonicTime
    ) -> Found {
        var random = SeededRandom(seed: 0)
        return find(
            &shard, tag: tag, key: key, request: request, rules: rules, early: .off, now: now,
            random: &random)
    }

    func find(
        _ shard: inout StoreShard, tag: UInt64, key: Span<UInt8>,
        request: borrowing RequestHead, rules: CacheRules, early: CachePolicy.EarlyRefresh,
        now: MonotonicTime, random: inout SeededRandom
    ) -> Found {
        let demands =
            rules.listensToClients
            ? CacheDirectives(ofRequest: request.fields) : CacheDirectives()
        // Stored answers to nobody in particular are not for requests with credentials (RFC 9111 §3.5).
        let hasCredentials = !rules.hasIdentity && request.fields.hasCredentials
        let node = shard.select(tag, key, request.fields)
        let stored = node >= 0 ? shard.nodes[Int(node)].stored : nil
        let isReadable = !hasCredentials || (stored?.lifetime.isForEverybody ?? false)
        var found = Found(
            query: MissQuery(
                tag: tag, now: now, stored: isReadable && stored?.isWhole ?? false ? stored : nil,
                demands: demands,
                hasCredentials: hasCredentials && !(stored != nil && isReadable)),
            node: node, stored: stored)
        guard let stored else {
            found.query.reason = shard.chain(tag, key) >= 0 ? .varyMiss : .uriMiss
            return found
        }
        guard isReadable else {
            found.query.reason = .request
            return found
        }
        if !stored.isWhole {
            return findInParts(found, stored, demands: demands, request: request, at: now)
        }
        switch stored.use(at: now, demands: demands, early: early, random: &random) {
        case .serve:
            if case .stale = stored.freshness(at: now) {
                found.use = .serve(.maxStale)
            } else {
                found.use = .serve(nil)
            }
        case .serveAndRefresh:
            found.query.reason = .stale
            found.use = .refresh
        case .validate:
            if shard.nodes[Int(node)].heldUntil > now, !demands.flags.contains(.noCache),
                stored.mayServeStale(onErrorAt: now, demands: demands)
            {
                found.use = .serve(.onError)
            } else if case .fresh = stored.freshness(at: now), !stored.lifetime.mustValidate {
                found.query.reason = .request
            } else {
                found.query.reason = .stale
            }
        }
        return found
    }

    /// The same where only parts of the answer are stored: they serve while they are fresh, and later they save a
    /// fetch from asking for them again.
    private func findInParts(
        _ base: consuming Found, _ stored: StoredResponse, demands: CacheDirectives,
        request: borrowing RequestHead, at now: MonotonicTime
    ) -> Found {
        var found = base
        found.query.parts = stored
        guard stored.canAnswer(request) else {
            found.query.reason = .partial
            return found
        }
        var random = SeededRandom(seed: 0)
        if case .fresh = stored.freshness(at: now),
            stored.use(at: now, demands: demands, early: .off, random: &random) == .serve
        {
            found.use = .serve(nil)
        } else if case .fresh = stored.freshness(at: now), !stored.head.lifetime.mustValidate {
            found.query.reason = .request
        } else {
            found.query.reason = .stale
        }
        return found
    }

    /// Serves what is stored, if it is good for that.
    private func use(
        _ shard: inout StoreShard, _ found: borrowing Found, key: Span<UInt8>,
        request: borrowing RequestHead, rules: CacheRules
    ) -> CacheLookup? {
        guard let stored = found.stored else { return nil }
        switch found.use {
        case .serve(let reason):
            shard.touch(found.node)
            guard let reason else { return .hit(stored) }
            return .stale(stored, reason)
        case .refresh:
            shard.touch(found.node)
            return refresh(
                &shard, found.query, stored, node: found.node, key: key, request: request,
                rules: rules)
        case .none: return nil
        }
    }

    /// What a lookup knows when the store has no answer to give.
    struct MissQuery: ~Copyable {
        let tag: UInt64
        let now: MonotonicTime
        var stored: StoredResponse?
        let demands: CacheDirectives
        let hasCredentials: Bool
        var reason = CacheStatus.Forward.uriMiss
        /// The stored parts, where no whole answer is stored.
        var parts: StoredResponse?
    }

    /// Serves and begins a refresh, unless one runs, the origin failed a moment ago, or it is a HEAD.
    private func refresh(
        _ shard: inout StoreShard, _ query: borrowing MissQuery, _ stored: StoredResponse,
        node: Int32,
        key: Span<UInt8>, request: borrowing RequestHead, rules: CacheRules
    ) -> CacheLookup {
        let isHeld = shard.nodes[Int(node)].heldUntil > query.now
        let isRunning =
            shard.fills[query.tag]?.contains { $0.stored?.head === stored.head } ?? false
        if isHeld || isRunning || request.method == .head {
            guard case .stale = stored.freshness(at: query.now) else { return .hit(stored) }
            return .stale(stored, .whileRevalidating)
        }
        let fill = begin(
            &shard, query, key: key, request: request, rules: rules,
            isCollapsing: rules.collapses)
        return .refresh(stored, fill)
    }

    /// What is done for a request that has no stored answer.
    private enum Way {
        case onlyIfCached
        case around(CacheBypass)
        case fetch(isCollapsing: Bool, isTrial: Bool)
        case fetchPart
    }

    private func way(
        _ shard: borrowing StoreShard, _ query: borrowing MissQuery, key: Span<UInt8>,
        request: borrowing RequestHead, rules: CacheRules
    ) -> Way {
        if query.demands.flags.contains(.onlyIfCached) { return .onlyIfCached }
        if request.method == .head {
            return .around(query.stored == nil ? .headNotStored : .headNotFresh)
        }
        let isCollapsing = rules.collapses && !query.hasCredentials
        if asksOriginForRange(query, request),
            !isCollapsing || !isBeingFetched(shard, query, key: key, request: request)
        {
            return RangeSelection.isOne(request.fields) ? .fetchPart : .around(.rangeRequest)
        }
        guard isCollapsing, let end = shard.passes[passTag(query.tag, request, rules)] else {
            return .fetch(isCollapsing: isCollapsing, isTrial: false)
        }
        if query.now < end && query.stored == nil { return .around(.hitForMiss) }
        return .fetch(isCollapsing: false, isTrial: query.now >= end)
    }

    private func miss(
        _ shard: inout StoreShard, _ query: borrowing MissQuery, key: Span<UInt8>,
        request: borrowing RequestHead, rules: CacheRules
    ) -> CacheLookup {
        var isCollapsing = false
        switch way(shard, query, key: key, request: request, rules: rules) {
        case .onlyIfCached: return .onlyIfCached
        case .around(let reason): return .bypass(reason)
        case .fetchPart: break
        case .fetch(let collapsing, let isTrial):
            isCollapsing = collapsing
            if isTrial {
                // One request tries whether the answers can be shared by now; nobody waits for it.
                shard.passes[passTag(query.tag, request, rules)] =
                    query.now + CacheBounds.hitForMiss
            }
        }
        if isCollapsing, let running = shard.fills[query.tag] {
            for fill in running
            where fill.isCollapsing && fill.hasKey(key) && fill.suits(request.fields)
                && !shard.isPurged(fill)
            {
                if let reader = fill.join() { return .follow(fill, reader) }
                if fill.isFull { return .bypass(.tooManyFollowers) }
            }
        }
        let isForPart = asksOriginForRange(query, request)
        if isForPart && !RangeSelection.isOne(request.fields) { return .bypass(.rangeRequest) }
        let fill = begin(
            &shard, query, key: key, request: request, rules: rules,
            isCollapsing: isCollapsing && !isForPart, isForPart: isForPart)
        guard let reader = fill.joinAsOwner() else { return .bypass(.tooManyFollowers) }
        return .lead(FillLead(fill: fill, reader: reader, reason: query.reason))
    }

    /// Whether a request for a part finds no stored answer to be validated: then the whole is not fetched for it.
    private func asksOriginForRange(
        _ query: borrowing MissQuery, _ request: borrowing RequestHead
    ) -> Bool {
        query.stored == nil && request.method == .get && request.fields.contains(.range)
    }

    /// Whether a fetch runs that the request could follow, as far as is known.
    private func isBeingFetched(
        _ shard: borrowing StoreShard, _ query: borrowing MissQuery, key: Span<UInt8>,
        request: borrowing RequestHead
    ) -> Bool {
        guard let running = shard.fills[query.tag] else { return false }
        return running.contains {
            $0.isCollapsing && $0.hasKey(key) && $0.suits(request.fields)
        }
    }

    /// Registers a fill.
    func begin(
        _ shard: inout StoreShard, _ query: borrowing MissQuery, key: Span<UInt8>,
        request: borrowing RequestHead, rules: CacheRules, isCollapsing: Bool,
        isForPart: Bool = false
    ) -> Fill {
        let chain = shard.chain(query.tag, key)
        let names = shard.variantNames(chain)
        // Beside a range no other answer is asked about.
        let others =
            query.parts != nil || isForPart
            ? []
            : shard.validated(
                beside: query.stored, chain: chain, request: request.fields,
                onlyForEverybody: !rules.hasIdentity && request.fields.hasCredentials)
        let baseCount = rules.hasParts ? CacheKey.baseCount(of: key) : key.count
        let fill = Fill(
            store: self, key: key.copied, tag: query.tag,
            base: baseCount < key.count ? tag(key.extracting(0..<baseCount)) : 0,
            passTag: passTag(query.tag, request, rules), stored: query.stored, others: others,
            reason: query.reason, parts: query.parts, isForPart: isForPart,
            keepsParts: request.method == .get,
            expected: names.isEmpty ? nil : VariantKey(names: names, request: request.fields),
            isCollapsing: isCollapsing, hasIdentity: rules.hasIdentity,
            bytesMax: min(rules.policy.maxObject, entryBytesMax),
            started: query.now)
        shard.fills[query.tag, default: []].append(fill)
        return fill
    }

    /// Requests with cookies are told apart: theirs may be unshareable where others' are not.
    func passTag(
        _ tag: UInt64, _ request: borrowing RequestHead, _ rules: CacheRules
    ) -> UInt64 {
        !rules.hasIdentity && request.fields.contains(.cookie) ? tag ^ 2 : tag
    }
}
