import Caching
import EventLoop
import HTTP1
import HTTPModel
import Identity
import Limits
import Primitives
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
        return await forward(exchange, route)
    }

    /// The Cache-Status of an answer that came from the origin.
    func appendCacheStatus(_ exchange: Exchange) {
        guard var status = exchange.cacheStatus else { return }
        status.forwardStatus = exchange.record.status.code
        status.append(to: exchange.output)
    }

    // MARK: Stored answers

    /// Sends a stored answer, or 304 when the client has it already.
    func serve(
        _ exchange: Exchange, _ stored: StoredResponse, detail: StaticString?
    ) async -> Afterwards {
        let freshness = stored.freshness(at: now)
        let seconds = freshness.seconds
        exchange.record.cache = detail == nil ? .hit : .stale
        if case .fresh = freshness { exchange.answer = .hit } else { exchange.answer = .stale }
        return await send(exchange, stored, status: .hit(ttl: seconds, detail: detail))
    }

    private func send(
        _ exchange: Exchange, _ stored: StoredResponse, status: CacheStatus
    ) async -> Afterwards {
        let keeps = mayKeep(exchange)
        let body = compose(exchange, stored, status, keeps: keeps)
        do {
            if !body.isEmpty {
                for segment in body {
                    try await stream.write(
                        exchange.output, segment, 0..<segment.count, patience: http.idleTimeout)
                }
            } else if try !stream.writeNow(exchange.output) {
                try await stream.write(exchange.output, patience: http.idleTimeout)
            }
        } catch {
            exchange.record.isIncomplete = true
            return .close
        }
        return keeps ? .nextRequest : .close
    }

    /// Puts head and small body into the output; returns a large body, to be sent from where it is stored.
    private func compose(
        _ exchange: Exchange, _ stored: StoredResponse, _ status: CacheStatus, keeps: Bool
    ) -> [[UInt8]] {
        let output = exchange.output
        let representation = representation(exchange, stored)
        let isNotModified = Conditions.areNotModified(
            exchange.request.fields, head: stored.head, now: worker.loop.clock.wall.epochSeconds)
        if isNotModified {
            stored.head.appendNotModified(to: output, weakening: representation.hasWeakTag)
        } else {
            append(representation, of: stored, exchange)
        }
        exchange.record.status = isNotModified ? 304 : stored.head.status
        output.append("Age: ")
        output.append(decimal: stored.age(at: now).wholeSeconds)
        output.append("\r\n")
        status.append(to: output)
        endHead(exchange, stored.head, keeps: keeps)
        if isNotModified || exchange.request.method == .head { return [] }
        if case .encoded(let variant) = representation {
            return place(variant.body, variant.bodyCount, exchange)
        }
        return place(stored.body, stored.bodyCount, exchange)
    }

    /// Copies a small body behind its head; returns a large one.
    private func place(_ body: [[UInt8]], _ count: Int, _ exchange: Exchange) -> [[UInt8]] {
        exchange.record.bodyBytes = UInt64(count)
        if count > Bounds.copiedBody { return body }
        for segment in body { exchange.output.append(segment.span) }
        return []
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
            case .head(let head):
                exchange.record.upstream = head.received - fill.started
                return await relay(exchange, head, fill, reader, waiter)
            case .stored(let stored, let isStale):
                exchange.record.cache = isStale ? .stale : .revalidated
                if isStale { return await serve(exchange, stored, detail: "sie") }
                let seconds = stored.freshness(at: now).seconds
                let status = CacheStatus.forwarded(.stale, status: 304, stored: true, ttl: seconds)
                return await send(exchange, stored, status: status)
            case .released(.otherVariant): return nil
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
        case .incomplete, .abandoned: .upstream(.closedInsideAnswer)
        }
    }

    /// Sends the head of a running fetch and its body as it arrives.
    private func relay(
        _ exchange: Exchange, _ head: CachedHead, _ fill: Fill, _ reader: FillReader,
        _ waiter: Waiter
    ) async -> Afterwards {
        let output = exchange.output
        var status = exchange.cacheStatus ?? .forwarded(.uriMiss)
        status.forwardStatus = head.status.code
        status.isStored = head.isStorable
        if let refusal = head.refusal {
            status.detail = refusal.name
            exchange.record.cacheReason = refusal.name
        }
        let isNotModified = Conditions.areNotModified(
            exchange.request.fields, head: head, now: worker.loop.clock.wall.epochSeconds)
        exchange.record.status = isNotModified ? 304 : head.status
        let merge = limitFieldMerge(exchange, head)
        if isNotModified {
            head.appendNotModified(to: output)
        } else if merge.dropsAny {
            head.append(to: output) { merge.drops($0) }
        } else {
            head.append(to: output)
        }
        if reader.isOwner && !head.cookies.isEmpty {
            let cookies = head.cookies
            output.append(cookies.span)
        }
        let hasBody = !isNotModified && !head.status.forbidsBody
        let isChunked = hasBody && head.contentLength == nil && exchange.request.version == .http11
        let endsWithConnection = hasBody && head.contentLength == nil && !isChunked
        let keeps = mayKeep(exchange) && !endsWithConnection
        if isChunked { HTTP1Writer.appendField(.transferEncoding, "chunked", to: output) }
        if head.isStorable && head.initialAge.wholeSeconds > 0 {
            output.append("Age: ")
            output.append(decimal: head.initialAge.wholeSeconds)
            output.append("\r\n")
        }
        status.append(to: output)
        endHead(
            exchange, head, omitting: isNotModified ? [] : merge.omitting, keeps: keeps)
        do {
            var isWhole = true
            if hasBody {
                isWhole = try await relayBody(exchange, fill, reader, waiter, isChunked: isChunked)
            }
            try await stream.write(output, patience: http.idleTimeout)
            guard isWhole else {
                exchange.record.isIncomplete = true
                return endsWithConnection ? .reset : .close
            }
        } catch {
            exchange.record.isIncomplete = true
            return endsWithConnection ? .reset : .close
        }
        return keeps ? .nextRequest : .close
    }

    /// Settles what the answer cost, and finds out whose limits the client is told: of answers that are stored
    /// no fields about the origin's limits are left.
    private func limitFieldMerge(_ exchange: Exchange, _ head: CachedHead) -> LimitFieldMerge {
        guard exchange.decision.count > 0, !head.isStorable else { return LimitFieldMerge() }
        worker.settleLimits(exchange) { LimitCost.units(named: $0, in: head) }
        return LimitFieldMerge(exchange.decision, snapshot.blueprint.limitFields, head.fields)
    }

    /// Sends the body's parts; `false` when the fetch failed inside it.
    private func relayBody(
        _ exchange: Exchange, _ fill: Fill, _ reader: FillReader, _ waiter: Waiter, isChunked: Bool
    ) async throws(StreamError) -> Bool {
        let output = exchange.output
        while true {
            switch fill.next(reader, request: exchange.request, wake: { waiter.wake() }) {
            case .wait:
                try await stream.write(output, patience: http.idleTimeout)
                // The fetch ends by its own deadlines, and then it wakes its readers.
                if await waiter.wait(until: .never) == .aborted { return false }
            case .segment(let segment):
                exchange.record.bodyBytes += UInt64(segment.count)
                if isChunked { HTTP1Writer.appendChunkHeader(size: segment.count, to: output) }
                if segment.count <= Bounds.copiedBody {
                    output.append(segment.span)
                } else {
                    try await stream.write(
                        output, segment, 0..<segment.count, patience: http.idleTimeout)
                }
                if isChunked { HTTP1Writer.appendChunkEnd(to: output) }
                if output.count >= Bounds.gathered {
                    try await stream.write(output, patience: http.idleTimeout)
                }
            case .end:
                if isChunked { HTTP1Writer.appendLastChunk(to: output) }
                return true
            case .failed, .released, .head, .stored: return false
            }
        }
    }
}
