import EventLoop
import HTTP1
import HTTPModel
import Primitives
import Settings

/// Answers to requests that came together leave together (RFC 9112 §9.3.2, pipelining).
///
/// What is gathered is sent before anything is waited for, so no answer waits for another request's.
extension DownstreamConnection {
    /// Whether the answer in the output leaves with the next one: that request has arrived behind this one, and no
    /// more than `Bounds.gathered` bytes are there.
    func isFollowed(_ exchange: Exchange, keeps: Bool) -> Bool {
        keeps && exchange.body.isComplete && !exchange.input.isEmpty
            && exchange.output.count < Bounds.gathered
    }

    /// Sends the answer in the output, unless it leaves with the next one.
    @inline(__always)
    func sendAnswer(_ exchange: Exchange, keeps: Bool) async throws(StreamError) {
        if isFollowed(exchange, keeps: keeps) { return }
        if try !stream.writeNow(exchange.output) {
            try await stream.write(exchange.output, patience: http.idleTimeout)
        }
    }

    /// Sends the answers that were gathered, if there are any; whether the client is still there.
    func sendGathered(_ exchange: Exchange) async -> Bool {
        do {
            try await stream.write(exchange.output, patience: http.idleTimeout)
            return true
        } catch {
            return false
        }
    }
}
