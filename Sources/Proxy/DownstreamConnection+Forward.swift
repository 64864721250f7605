import Caching
import EventLoop
import HTTP1
import HTTPModel
import Limits
import Primitives
import Routes
import Settings
import Upstreams

/// Passing a request through to its origin, and the answer back, as they come.
extension DownstreamConnection {
    /// Forwards the request and relays the answer; both bodies stream.
    func forward(
        _ exchange: Exchange, _ route: Route, _ snapshot: Snapshot
    ) async -> Afterwards {
        exchange.answer = .miss
        let pool = snapshot.pools[route.upstream]
        let started = now
        let firstByte = route.timeout ?? pool.settings.firstByteTimeout
        var isRetry = false
        while true {
            let upstream: UpstreamConnection
            if !isRetry, let idle = pool.leaseIdle() {
                upstream = idle
            } else {
                do {
                    upstream = try await pool.lease(watching: stream, freshOnly: isRetry)
                } catch {
                    return await reject(exchange, .upstream(error))
                }
            }
            var pump: RequestBodyPump?
            if !sendNow(exchange, route, to: upstream, snapshot) {
                pump = await startRequest(exchange, upstream, pool, firstByte)
            }
            do {
                let deadline = pump == nil ? now + firstByte : .never
                while true {
                    try await upstream.readHead(for: exchange.request.method, until: deadline)
                    guard upstream.status.isInformational else { break }
                    await relayInterim(exchange, upstream.response)
                }
            } catch {
                stream.abortedWithPeer = nil
                // Stopping it ends it, too, but then it is not the cause.
                let rejection = pump?.rejection
                if pump != nil && pump?.end != .complete {
                    // What it took from the input without sending it is no request.
                    exchange.request.keepsAlive = false
                }
                await pump?.stop()
                pool.release(upstream, reusable: false)
                exchange.forwarded.removeAll()
                if error == .closedBeforeAnswer && upstream.isReused && !isRetry && pump == nil
                    && exchange.request.method.isIdempotent
                    && (exchange.request.framing == .none || exchange.content.isWhole)
                {
                    // It was closed while it was idle: nothing of this request was seen.
                    isRetry = true
                    continue
                }
                return await reject(exchange, rejection ?? .upstream(error))
            }
            exchange.record.upstream = now - started
            return await relay(exchange, route, upstream, pump, pool)
        }
    }

    /// Makes the head as the origin gets it, and sends it and the body at once when both are there and the socket takes
    /// them.
    @inline(never)
    private func sendNow(
        _ exchange: Exchange, _ route: Route, to upstream: UpstreamConnection,
        _ snapshot: Snapshot
    ) -> Bool {
        stream.abortedWithPeer = upstream.stream
        // A write that failed may have left something of an earlier request.
        exchange.forwarded.removeAll()
        exchange.lendRequest { request in
            ForwardedHead.append(
                request, exchange.identity, route, snapshot.blueprint, upstream.authority,
                peer: peerText, forCache: false, to: exchange.forwarded)
        }
        HTTP1Writer.appendEndOfHead(to: exchange.forwarded)
        appendContent(exchange)
        if !exchange.body.isComplete { takeArrivedBody(exchange) }
        guard exchange.body.isComplete else { return false }
        // A failed write shows when the answer is read: the origin may have sent one before it closed.
        return (try? upstream.stream.writeNow(exchange.forwarded)) ?? true
    }

    /// Sends what is left of head and body when both are there; otherwise starts a pump that does.
    private func startRequest(
        _ exchange: Exchange, _ upstream: UpstreamConnection, _ pool: UpstreamPool,
        _ firstByte: Nanoseconds
    ) async -> RequestBodyPump? {
        if exchange.body.isComplete {
            try? await upstream.stream.write(
                exchange.forwarded, patience: pool.settings.idleTimeout)
            return nil
        }
        await answerContinue(exchange)
        let pump = RequestBodyPump(
            self, exchange, to: upstream, pause: pool.settings.idleTimeout, firstByte: firstByte)
        pump.start()
        return pump
    }

    /// Appends a small body that has arrived whole to the head, so that both are sent at once.
    private func takeArrivedBody(_ exchange: Exchange) {
        let arrived = exchange.input
        guard case .length(let length) = exchange.request.framing, length > 0,
            length <= UInt64(Bounds.copiedBody), arrived.count >= Int(length),
            case .data(_, let consumed)? = try? exchange.body.next(arrived.readable)
        else { return }
        exchange.forwarded.append(consumed, of: arrived)
        arrived.consume(consumed)
    }

    // MARK: Answer

    /// Passes an interim answer on (RFC 9110 §15.2): to clients that know them, and not the 100 that the
    /// proxy itself has given or was not asked for.
    private func relayInterim(_ exchange: Exchange, _ response: ResponseHead) async {
        guard exchange.request.version == .http11, response.status != 100 else { return }
        ForwardedHead.append(response, .none, LimitFieldMerge(), to: exchange.output)
        HTTP1Writer.appendEndOfHead(to: exchange.output)
        // A failed write shows again when the final answer is written.
        try? await stream.write(exchange.output, patience: http.idleTimeout)
    }

    /// Relays the answer whose head has been read, and gives the connection back.
    @inline(__always)
    private func relay(
        _ exchange: Exchange, _ route: Route, _ upstream: UpstreamConnection,
        _ pump: RequestBodyPump?, _ pool: UpstreamPool
    ) async -> Afterwards {
        let pumpEnded = pump == nil || pump?.end == .complete
        var keeps = exchange.request.keepsAlive && !worker.shared.isDraining && pumpEnded
        let framing = upstream.lendResponse { response in
            appendHead(exchange, route, response, keeps: &keeps)
        }
        let isWhole = await relayBody(exchange, upstream, framing, pool.settings.idleTimeout)
        stream.abortedWithPeer = nil
        let pumpWasRunning = pump?.isRunning ?? false
        await pump?.stop()
        pool.release(upstream, reusable: isWhole && pumpEnded)
        guard isWhole else {
            exchange.record.isIncomplete = true
            return framing == .untilClose ? .reset : .close
        }
        if keeps { return .nextRequest }
        return pumpWasRunning || !exchange.body.isComplete ? .lingerAndClose : .close
    }

    /// Appends the head of the answer as the client gets it; how its body will end. The connection is not kept when
    /// the body ends with it.
    private func appendHead(
        _ exchange: Exchange, _ route: Route, _ response: borrowing ResponseHead, keeps: inout Bool
    ) -> BodyFraming {
        exchange.record.status = response.status
        noteForwarded(exchange, route, response)
        let framing = BodyWriter.framing(
            of: response, for: exchange.request.method, client: exchange.request.version)
        if framing == .untilClose { keeps = false }
        let merge = limitFieldMerge(exchange, route, response.fields)
        ForwardedHead.append(
            response, framing, merge, withholding: route.cache?.policy.originTTLName,
            to: exchange.output)
        if !response.fields.contains(.date) { worker.appendDate(to: exchange.output) }
        appendCacheStatus(exchange)
        appendLimitFields(exchange, of: route, omitting: merge.omitting)
        appendConnection(exchange, keeps: keeps)
        HTTP1Writer.appendEndOfHead(to: exchange.output)
        return framing
    }

    /// Settles what the answer cost, and finds out whose limits the client is told.
    private func limitFieldMerge(
        _ exchange: Exchange, _ route: Route, _ fields: borrowing FieldList
    ) -> LimitFieldMerge {
        guard exchange.decision.count > 0 else { return LimitFieldMerge() }
        if exchange.decision.isOpen {
            worker.settleLimits(exchange, of: route) { LimitCost.units(named: $0, in: fields) }
        }
        return LimitFieldMerge.of(exchange.decision, route.limitFields, fields)
    }

    /// Relays the body; `false` when either side ended before it did.
    @inline(__always)
    private func relayBody(
        _ exchange: Exchange, _ upstream: UpstreamConnection, _ framing: BodyFraming,
        _ pause: Nanoseconds
    ) async -> Bool {
        do {
            let arrived = try takeArrived(exchange, upstream, framing)
            // Most bodies came with their head and are sent at once.
            if arrived == .end, try stream.writeNow(exchange.output) { return true }
            try await relayOn(exchange, upstream, framing, pause, after: arrived)
            return true
        } catch {
            return false
        }
    }

    /// What of a body was found among the bytes that have arrived.
    private enum ArrivedBody: Equatable {
        /// All of it, to its end.
        case end
        /// All that is there; the rest is to be read.
        case part
        /// So much that it is sent before more is taken.
        case much
        /// A part of so many bytes, which are better sent from where they are.
        case large(Int)
    }

    /// Moves what has arrived of the body into the output.
    private func takeArrived(
        _ exchange: Exchange, _ upstream: UpstreamConnection, _ framing: BodyFraming
    ) throws(UpstreamError) -> ArrivedBody {
        let output = exchange.output
        while let part = try upstream.decodedPart() {
            guard case .data(let count) = part else {
                if framing == .chunked {
                    HTTP1Writer.appendLastChunk(trailers: upstream.trailers, to: output)
                }
                return .end
            }
            if framing == .chunked { HTTP1Writer.appendChunkHeader(size: count, to: output) }
            if count > Bounds.copiedBody { return .large(count) }
            output.append(count, of: upstream.input)
            upstream.input.consume(count)
            endPart(exchange, framing, count)
            if output.count >= Bounds.gathered { return .much }
        }
        return .part
    }

    private func endPart(_ exchange: Exchange, _ framing: BodyFraming, _ count: Int) {
        if framing == .chunked { HTTP1Writer.appendChunkEnd(to: exchange.output) }
        exchange.record.bodyBytes += UInt64(count)
    }

    /// Sends what was found, and relays the rest as it comes.
    private func relayOn(
        _ exchange: Exchange, _ upstream: UpstreamConnection, _ framing: BodyFraming,
        _ pause: Nanoseconds, after found: ArrivedBody
    ) async throws {
        var arrived = found
        while true {
            if case .large(let count) = arrived {
                try await stream.write(
                    exchange.output, upstream.input, count: count, patience: http.idleTimeout)
                endPart(exchange, framing, count)
            } else {
                try await stream.write(exchange.output, patience: http.idleTimeout)
            }
            if arrived == .end { return }
            if arrived == .part {
                if let pipe = worker.pipes.take(forBodyOf: upstream.plainRest) {
                    try await relayPlain(exchange, upstream, through: pipe, pause)
                } else {
                    try await upstream.readMore(pause: pause)
                }
            }
            arrived = try takeArrived(exchange, upstream, framing)
        }
    }

    /// Relays the rest of a body that needs no looking at: its bytes do not come into the process.
    private func relayPlain(
        _ exchange: Exchange, _ upstream: UpstreamConnection, through pipe: SplicePipe,
        _ pause: Nanoseconds
    ) async throws {
        defer { worker.pipes.giveBack(pipe) }
        while upstream.plainRest > 0 {
            let n = try await upstream.readPlain(into: pipe, pause: pause)
            try await stream.write(pipe, patience: http.idleTimeout)
            exchange.record.bodyBytes += UInt64(n)
        }
    }
}
