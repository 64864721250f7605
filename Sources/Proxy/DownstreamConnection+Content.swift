import Caching
import EventLoop
import HTTP1
import HTTPModel
import Primitives
import Settings
import Upstreams

/// Reading a request's body before its verdict.
extension DownstreamConnection {
    /// Reads the body of the request in `exchange`, which its limits have let pass, into its content.
    ///
    /// A body that is longer than `most`, or than the process has room for, is left where it is as soon as
    /// that is known; what was read of it is sent on before the rest.
    ///
    /// - Returns: Why it cannot be read; `nil` when the verdict can be found.
    func readContent(_ exchange: Exchange, most: Int) async -> Rejection? {
        if case .length(let length) = exchange.request.framing {
            guard length <= UInt64(most) else {
                exchange.content.state = .cut(.bodyTooLarge)
                return nil
            }
            guard exchange.content.hold(Int(length), in: worker.shared) else {
                exchange.content.state = .cut(.bodiesFull)
                return nil
            }
            exchange.content.bytes.reserve(Int(length))
        }
        await answerContinue(exchange)
        var pace = Pace(patience: http.idleTimeout, bytesMin: Bounds.bodyProgress)
        while true {
            let arrived = exchange.input
            guard let step = try? exchange.body.next(arrived.readable) else {
                return .malformedBody
            }
            switch step {
            case .data(let range, let consumed):
                arrived.consume(Int(range.start))
                exchange.content.bytes.append(Int(range.count), of: arrived)
                arrived.consume(consumed - Int(range.start))
                if let rejection = check(exchange, most: most) { return rejection }
                if case .cut = exchange.content.state { return nil }
            case .needsMore(let consumed):
                arrived.consume(consumed)
                do {
                    let deadline = pace.deadline(from: now)
                    let n = try await stream.read(into: arrived, until: deadline)
                    if n == 0 { return .upstream(.aborted) }
                    pace.note(n)
                } catch {
                    return error == .timedOut ? .bodyTimeout : .upstream(.aborted)
                }
            case .end(let consumed):
                arrived.consume(consumed)
                exchange.content.end()
                return nil
            }
        }
    }

    /// Cuts content off that has grown too large; the reason when the request may have none of that size.
    private func check(_ exchange: Exchange, most: Int) -> Rejection? {
        let count = exchange.content.bytes.count
        if UInt64(count) > http.bodyBytes { return .bodyTooLarge }
        if count > most {
            exchange.content.state = .cut(.bodyTooLarge)
        } else if !exchange.content.hold(count, in: worker.shared) {
            exchange.content.state = .cut(.bodiesFull)
        }
        return nil
    }

    /// Tells a client that waits for it to send its body.
    func answerContinue(_ exchange: Exchange) async {
        guard exchange.awaitsContinue else { return }
        exchange.awaitsContinue = false
        exchange.output.append("HTTP/1.1 100 Continue\r\n\r\n")
        // A failed write shows again when the body is read.
        try? await stream.write(exchange.output, patience: http.idleTimeout)
        exchange.output.removeAll()
    }

    /// Appends content that is held whole to the request that is sent to the origin.
    func appendContent(_ exchange: Exchange) {
        guard exchange.content.isWhole else { return }
        let (bytes, output) = (exchange.content.bytes, exchange.forwarded)
        guard exchange.request.framing == .chunked else {
            output.append(bytes)
            return
        }
        if !bytes.isEmpty {
            HTTP1Writer.appendChunkHeader(size: bytes.count, to: output)
            output.append(bytes)
            HTTP1Writer.appendChunkEnd(to: output)
        }
        ForwardedHead.appendLastChunk(
            trailers: exchange.body.trailers, snapshot.blueprint, to: output)
    }
}
