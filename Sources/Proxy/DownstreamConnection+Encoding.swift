import Caching
import EventLoop
import HTTPModel
import Primitives
import Settings

/// Content codings of stored answers.
extension DownstreamConnection {
    /// Whether the client would have an answer with this head in a coding: then it knows it by a weak ETag.
    func wantsCoding(_ exchange: Exchange, of head: CachedHead) -> Bool {
        // Most answers and requests end here.
        guard head.isEncodable, exchange.request.fields.contains(.acceptEncoding) else {
            return false
        }
        return rules(exchange)?.coding(for: exchange.request.fields) != nil
    }

    /// The variant of a stored answer that the client gets; `nil`: the answer goes as it is. Where the client's
    /// coding is not there it is made, for those who come after.
    func encodedVariant(_ exchange: Exchange, of stored: StoredResponse) -> EncodedVariant? {
        guard stored.head.isEncodable, exchange.request.fields.contains(.acceptEncoding),
            let rules = rules(exchange)
        else { return nil }
        switch Representation(of: stored, for: exchange.request.fields, rules) {
        case .encoded(let variant): return variant
        case .wanted(let coding): EncodingTask.start(on: worker, stored, coding, rules)
        case .asIs: break
        }
        return nil
    }

    private func rules(_ exchange: Exchange) -> CacheRules? {
        snapshot.blueprint.routes[exchange.record.route].cache
    }

    /// Puts the head of a stored answer in a coding into the output.
    func appendHead(
        of variant: EncodedVariant, _ exchange: Exchange, _ stored: StoredResponse,
        _ status: CacheStatus, keeps: Bool
    ) {
        let head = variant.head
        exchange.output.append(head.span)
        exchange.record.status = stored.head.status
        endHead(exchange, stored, status, keeps: keeps)
        let hasBody = exchange.request.method != .head
        worker.metrics.compression.noteSent(
            variant.coding, saved: hasBody ? stored.bodyCount - variant.bodyCount : 0)
        if hasBody { exchange.record.bodyBytes = UInt64(variant.bodyCount) }
    }

    /// Sends a body in a coding: a small one behind the head, a large one from where it is stored.
    func sendBody(of variant: EncodedVariant, _ exchange: Exchange) async throws(StreamError) {
        let isSmall = variant.bodyCount <= Bounds.copiedBody
        for segment in variant.body {
            if isSmall {
                exchange.output.append(segment.span)
            } else {
                try await stream.write(
                    exchange.output, segment, 0..<segment.count, patience: http.idleTimeout)
            }
        }
    }
}
