import Caching
import EventLoop
import HTTP1
import HTTPModel
import Identity
import Limits
import Primitives
import RedisClient
import Settings
import Upstreams

/// The cache's part in a request: a stored answer, a fetch for the cache, or a way around it.
extension DownstreamConnection {
    /// Forwards a request that the cache has no part in.
    func goAround(
        _ exchange: Exchange, _ route: Route, _ reason: CacheBypass
    ) async -> Afterwards {
        exchange.record.cache = .bypass
        exchange.record.cacheReason = reason.name
        exchange.cacheStatus = .bypassed(reason)
        return await forward(exchange, route, snapshot)
    }

    /// The rules by which Redis may have what a request needs that would go past the cache: a HEAD, or one for several
    /// ranges, of which the origin's answer is not stored. `nil`: it is not asked.
    func rulesInRedis(_ exchange: Exchange, _ route: Route, _ reason: CacheBypass) -> CacheRules? {
        switch reason {
        case .headNotStored, .headNotFresh: break
        case .rangeRequest where exchange.request.method == .get: break
        default: return nil
        }
        guard let cache = route.cache, cache.policy.isShared,
            worker.secondLevel?.isAvailable ?? false
        else { return nil }
        return cache
    }

    /// Looks into Redis; whether the store has something now that it had not.
    func looksInRedis(
        _ exchange: Exchange, _ route: Route, _ cache: CacheRules
    ) async -> Bool {
        let key = exchange.cacheKey
        let fill = worker.shared.cache.beginLook(
            key: key.span, request: exchange.request, rules: cache, now: now)
        return await CacheFetch(self, exchange, route, cache, fill).endsWithLook()
    }

    /// The Cache-Status of an answer that came from the origin.
    func appendCacheStatus(_ exchange: Exchange) {
        guard var status = exchange.cacheStatus else { return }
        status.forwardStatus = exchange.record.status.code
        status.append(to: exchange.output)
    }

    // MARK: Stored answers

    /// Sends a stored answer, the part of it that is asked for, or 304 when the client has it already.
    func serve(
        _ exchange: Exchange, _ stored: StoredResponse, detail: StaticString?
    ) async -> Afterwards {
        let keeps = mayKeep(exchange)
        let rest = compose(exchange, stored, detail: detail, keeps: keeps)
        return await send(rest, of: stored, exchange, keeps: keeps)
    }

    /// Puts head and small body of a stored answer into the output; returns what is left.
    func compose(
        _ exchange: Exchange, _ stored: StoredResponse, detail: StaticString?, keeps: Bool
    ) -> Rest {
        let freshness = stored.freshness(at: now)
        let seconds = freshness.seconds
        exchange.record.cache = detail == nil ? .hit : .stale
        if case .fresh = freshness { exchange.answer = .hit } else { exchange.answer = .stale }
        return compose(exchange, stored, .hit(ttl: seconds, detail: detail), keeps: keeps)
    }

    /// Sends the output where nothing else is left; `false` where the client does not take it at once: then `send` is due.
    func sendNow(_ exchange: Exchange, _ rest: Rest) -> Bool {
        guard case .nothing = rest else { return false }
        return (try? stream.writeNow(exchange.output)) ?? false
    }

    /// Sends an answer that another process had put into Redis.
    private func serveShared(_ exchange: Exchange, _ stored: StoredResponse) async -> Afterwards {
        exchange.record.cache = .hit
        exchange.record.isShared = true
        exchange.answer = .hit
        let seconds = stored.freshness(at: now).seconds
        return await send(exchange, stored, status: .hit(ttl: seconds, detail: "redis"))
    }

    private func send(
        _ exchange: Exchange, _ stored: StoredResponse, status: CacheStatus
    ) async -> Afterwards {
        let keeps = mayKeep(exchange)
        let rest = compose(exchange, stored, status, keeps: keeps)
        return await send(rest, of: stored, exchange, keeps: keeps)
    }

    /// Sends the output and what is left behind it of a stored answer.
    func send(
        _ rest: Rest, of stored: StoredResponse, _ exchange: Exchange, keeps: Bool
    ) async -> Afterwards {
        do {
            switch rest {
            case .nothing: break
            case .slice(let slice): try await sendSlice(exchange, stored, slice)
            case .parts(let parts): try await sendParts(exchange, stored, parts)
            case .variant(let variant): try await sendBody(of: variant, exchange)
            }
            try await sendAnswer(exchange, keeps: keeps)
        } catch {
            exchange.record.isIncomplete = true
            return .close
        }
        return keeps ? .nextRequest : .close
    }

    /// What of a stored answer is still to be sent from where it is, behind the output.
    enum Rest {
        case nothing
        case slice(BodySlice)
        case parts(MultipartRanges)
        case variant(EncodedVariant)
    }

    /// Puts head and small body into the output; returns what is left. It never waits and is a function of its own, so
    /// that what it needs lies on the stack and not in the frames of each task that has ever sent a stored answer.
    @inline(never)
    private func compose(
        _ exchange: Exchange, _ stored: StoredResponse, _ status: CacheStatus, keeps: Bool
    ) -> Rest {
        let form = form(exchange, of: stored.head)
        if case .whole = form, let variant = encodedVariant(exchange, of: stored) {
            appendHead(of: variant, exchange, stored, status, keeps: keeps)
            return exchange.request.method == .head ? .nothing : .variant(variant)
        }
        if case .parts(let slices) = form {
            let parts = multipart(slices, of: stored)
            compose(exchange, stored, status, parts, keeps: keeps)
            return .parts(parts)
        }
        let left = compose(exchange, stored, status, form, keeps: keeps)
        return left.map { .slice($0) } ?? .nothing
    }

    /// Puts head and small body into the output; returns what of a large one is left.
    private func compose(
        _ exchange: Exchange, _ stored: StoredResponse, _ status: CacheStatus, _ form: AnswerForm,
        keeps: Bool
    ) -> BodySlice? {
        let output = exchange.output
        appendHead(exchange, stored.head, as: form)
        exchange.record.status = form.status(whole: stored.head.status)
        endHead(exchange, stored, status, keeps: keeps)
        let slice: BodySlice
        switch form {
        case .part(let part): slice = part
        case .whole where exchange.request.method != .head && stored.bodyCount > 0:
            precondition(stored.isWhole)
            slice = BodySlice(0, stored.bodyCount)
        default: return nil
        }
        exchange.record.bodyBytes = UInt64(slice.count)
        if slice.count > Bounds.copiedBody { return slice }
        appendSlice(stored, slice, to: output)
        return nil
    }

    /// Puts the head of an answer with several parts into the output.
    private func compose(
        _ exchange: Exchange, _ stored: StoredResponse, _ status: CacheStatus,
        _ parts: MultipartRanges, keeps: Bool
    ) {
        stored.head.append(parts, to: exchange.output)
        exchange.record.status = 206
        endHead(exchange, stored, status, keeps: keeps)
    }

    /// Ends the head of a stored answer.
    func endHead(
        _ exchange: Exchange, _ stored: StoredResponse, _ status: CacheStatus, keeps: Bool
    ) {
        exchange.output.append("Age: ")
        exchange.output.append(decimal: stored.age(at: now).wholeSeconds)
        exchange.output.append("\r\n")
        status.append(to: exchange.output)
        endHead(exchange, stored.head, keeps: keeps)
    }

    private func endHead(
        _ exchange: Exchange, _ head: CachedHead, omitting: RateLimitFields.Dialects = [],
        keeps: Bool
    ) {
        exchange.output.append("Via: 1.1 weir\r\n")
        appendLimitFields(exchange, omitting: omitting) { LimitCost.units(named: $0, in: head) }
        appendConnection(exchange, keeps: keeps)
        HTTP1Writer.appendEndOfHead(to: exchange.output)
    }

    // MARK: Running fetches

    /// Sends the answer of a running fetch as it arrives; `nil` when the request must look again.
    func read(
        _ exchange: Exchange, _ route: Route, _ fill: Fill, _ reader: FillReader
    ) async -> Afterwards? {
        let waiter = Waiter(worker.loop)
        stream.abortedWithPeer = waiter
        defer {
            stream.abortedWithPeer = nil
            fill.leave(reader)
        }
        let deadline = now + followerPatience(route)
        while true {
            switch fill.next(reader, request: exchange.request, wake: { waiter.wake() }) {
            case .wait:
                switch await waiter.wait(until: deadline) {
                case .ready: continue
                case .timedOut: return await reject(exchange, .upstream(.firstByteTimeout))
                case .aborted: return await reject(exchange, .upstream(.aborted))
                }
            case .interim(let head):
                guard exchange.request.version == .http11 else { continue }
                exchange.output.append(head.span)
                // A failed write shows again when the final answer is written.
                try? await stream.write(exchange.output, patience: http.idleTimeout)
            case .head(let head):
                exchange.record.upstream = head.received - fill.started
                return await relay(exchange, head, fill, reader, waiter)
            case .stored(let stored, .validated):
                exchange.record.cache = .revalidated
                let seconds = stored.freshness(at: now).seconds
                let status = CacheStatus.forwarded(
                    fill.reason, status: 304, stored: stored.head.isStorable,
                    collapsed: exchange.cacheStatus?.isCollapsed ?? false, ttl: seconds)
                return await send(exchange, stored, status: status)
            case .stored(let stored, .stale):
                return await serve(exchange, stored, detail: "sie")
            case .stored(let stored, .shared):
                return await serveShared(exchange, stored)
            case .stored(_, .kept), .released(.otherVariant): return nil
            case .released(.notShared): return await goAround(exchange, route, .hitForMiss)
            case .failed(let failure): return await reject(exchange, rejection(of: failure))
            case .segment, .end: return .close
            }
        }
    }

    /// The fetch has deadlines of its own and tells when one has passed; this is the bound behind them.
    private func followerPatience(_ route: Route) -> Nanoseconds {
        let settings = snapshot.pools[route.upstream].settings
        let firstByte = route.timeout ?? settings.firstByteTimeout
        return settings.poolWait + settings.connectTimeout + firstByte + .seconds(1)
    }

    private func rejection(of failure: FillFailure) -> Rejection {
        switch failure {
        case .connect: .upstream(.connectFailed)
        case .exhausted: .upstream(.poolExhausted)
        case .unresolved: .upstream(.unresolved)
        case .timeout: .upstream(.firstByteTimeout)
        case .reset: .upstream(.closedBeforeAnswer)
        case .notValidated: .notValidated
        case .incomplete, .abandoned: .upstream(.closedInsideAnswer)
        }
    }

    /// Sends the head of a running fetch and its body as it arrives.
    private func relay(
        _ exchange: Exchange, _ head: CachedHead, _ fill: Fill, _ reader: FillReader,
        _ waiter: Waiter
    ) async -> Afterwards {
        let relayed = appendHead(exchange, head, fill, reader)
        do {
            var isWhole = true
            if relayed.hasBody {
                isWhole = try await relayBody(
                    exchange, fill, reader, waiter, relayed.passing, isChunked: relayed.isChunked)
            }
            try await stream.write(exchange.output, patience: http.idleTimeout)
            if isWhole { return relayed.keeps ? .nextRequest : .close }
        } catch {}
        exchange.record.isIncomplete = true
        return relayed.endsWithConnection ? .reset : .close
    }

    /// How the answer of a running fetch is passed on.
    private struct Relayed {
        let hasBody: Bool
        let isChunked: Bool
        let endsWithConnection: Bool
        let keeps: Bool
        let passing: PassingSlice
    }

    /// Puts the head of a running fetch into the output.
    @inline(never)
    private func appendHead(
        _ exchange: Exchange, _ head: CachedHead, _ fill: Fill, _ reader: FillReader
    ) -> Relayed {
        let output = exchange.output
        var status = exchange.cacheStatus
        let origin = fill.origin
        status?.forwardStatus = origin.status ?? head.status.code
        status?.isStored = head.isStorable
        if let refusal = head.refusal {
            status?.detail = refusal.name
            exchange.record.cacheReason = refusal.name
        }
        let form = form(exchange, ofArriving: head, part: origin.part)
        exchange.record.status = form.status(whole: head.status)
        let merge = limitFieldMerge(exchange, head)
        if case .whole = form, merge.dropsAny {
            head.append(to: output) { merge.drops($0) }
        } else {
            appendHead(exchange, head, as: form)
        }
        // The first client also gets what is for it alone.
        if reader.isOwner && !head.personal.isEmpty {
            let personal = head.personal
            output.append(personal.span)
        }
        let hasBody = form.hasBody && !head.status.forbidsBody
        let isChunked = hasBody && head.contentLength == nil && exchange.request.version == .http11
        let endsWithConnection = hasBody && head.contentLength == nil && !isChunked
        let keeps = mayKeep(exchange) && !endsWithConnection
        if isChunked { HTTP1Writer.appendField(.transferEncoding, "chunked", to: output) }
        if head.isStorable && head.initialAge.wholeSeconds > 0 {
            output.append("Age: ")
            output.append(decimal: head.initialAge.wholeSeconds)
            output.append("\r\n")
        }
        status?.append(to: output)
        endHead(
            exchange, head, omitting: form.hasBody ? merge.omitting : [], keeps: keeps)
        return Relayed(
            hasBody: hasBody, isChunked: isChunked, endsWithConnection: endsWithConnection,
            keeps: keeps, passing: PassingSlice(origin.part == nil ? form.slice : nil))
    }

    /// Settles what the answer cost, and finds out whose limits the client is told: of answers that are stored
    /// no fields about the origin's limits are left.
    private func limitFieldMerge(_ exchange: Exchange, _ head: CachedHead) -> LimitFieldMerge {
        guard exchange.decision.count > 0, !head.isStorable, exchange.isLimited else {
            return LimitFieldMerge()
        }
        let route = route(of: exchange)
        worker.settleLimits(exchange, of: route) { LimitCost.units(named: $0, in: head) }
        return LimitFieldMerge.of(exchange.decision, route.limitFields, head.fields)
    }

    /// Sends the body's parts, or of them what is asked for; `false` when the fetch failed inside it.
    private func relayBody(
        _ exchange: Exchange, _ fill: Fill, _ reader: FillReader, _ waiter: Waiter,
        _ passing: PassingSlice, isChunked: Bool
    ) async throws(StreamError) -> Bool {
        let output = exchange.output
        var passing = passing
        while true {
            switch fill.next(reader, request: exchange.request, wake: { waiter.wake() }) {
            case .wait:
                try await stream.write(output, patience: http.idleTimeout)
                // The fetch ends by its own deadlines, and then it wakes its readers.
                if await waiter.wait(until: .never) == .aborted { return false }
            case .segment(let segment):
                let wanted = passing.take(segment.count)
                if wanted.isEmpty { continue }
                exchange.record.bodyBytes += UInt64(wanted.count)
                if isChunked { HTTP1Writer.appendChunkHeader(size: wanted.count, to: output) }
                if wanted.count <= Bounds.copiedBody {
                    output.append(segment.span.extracting(wanted))
                } else {
                    try await stream.write(output, segment, wanted, patience: http.idleTimeout)
                }
                if isChunked { HTTP1Writer.appendChunkEnd(to: output) }
                if output.count >= Bounds.gathered {
                    try await stream.write(output, patience: http.idleTimeout)
                }
                if passing.isDone { return true }
            case .end:
                if isChunked { HTTP1Writer.appendLastChunk(to: output) }
                return true
            case .failed, .released, .head, .interim, .stored: return false
            }
        }
    }
}
