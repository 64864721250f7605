import EventLoop
import HTTPModel
import Primitives
import Telemetry

extension WorkerContext {
    /// The trace a request belongs to: the client's, or a new one.
    func trace(of request: borrowing RequestHead) -> TraceContext {
        if let sent = request.fields.first(.traceparent),
            request.fields.count(of: .traceparent) == 1,
            let trace = TraceContext(parsing: sent)
        {
            return trace
        }
        return TraceContext(isSampled: false, using: &random)
    }

    /// Ends a request, however it went: its limits get back what it held, and it is counted and logged.
    func finish(
        _ exchange: Exchange, of connection: DownstreamConnection, _ snapshot: Snapshot,
        isUnderstood: Bool = true
    ) {
        finishLimits(exchange, snapshot)
        let record = exchange.record
        // The turn's clock stands still: without a fresh reading a hit would take no time.
        metrics.note(
            record, row: row(ofRoute: record.route, in: snapshot),
            latency: kernel.monotonicNow() - record.started)
        guard log.admits(record.status, &random) else { return }
        let route = record.route >= 0 ? snapshot.blueprint.routes[record.route] : nil
        if log.isEmpty { scheduleLogFlush() }
        let trace = isUnderstood ? trace(of: exchange.request) : nil
        log.append(exchange, of: connection, route, trace, at: kernel.now())
        if log.isFull { flushLog() }
    }

    /// The same for one whose head was not understood.
    func finishUnparsed(_ exchange: Exchange, of connection: DownstreamConnection) {
        exchange.record.route = -1
        exchange.request.methodRange = .empty
        finish(exchange, of: connection, connection.snapshot, isUnderstood: false)
    }

    private func scheduleLogFlush() {
        loop.start { [self] in
            await loop.sleep(for: Bounds.logDelay)
            flushLog()
        }
    }

    /// Hands the gathered lines to the log's thread.
    func flushLog() {
        guard !log.isEmpty else { return }
        let (bytes, lines) = log.take()
        shared.log?.submit(bytes, lines: lines)
    }
}
