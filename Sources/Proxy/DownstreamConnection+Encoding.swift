import Caching
import HTTPModel
import Primitives

/// Content codings of stored answers.
extension DownstreamConnection {
    /// How a stored answer goes to the client.
    func representation(_ exchange: Exchange, _ stored: StoredResponse) -> Representation {
        // Most requests and answers end here.
        guard stored.head.isEncodable, exchange.request.fields.contains(.acceptEncoding) else {
            return .asIs
        }
        let route = snapshot.blueprint.routes[exchange.record.route]
        return Representation(of: stored, for: exchange.request.fields, route.cache)
    }

    /// Appends the head of a stored answer. Where the client's coding is not there it is made, for those who
    /// come after.
    func append(
        _ representation: Representation, of stored: StoredResponse, _ exchange: Exchange
    ) {
        switch representation {
        case .encoded(let variant):
            let head = variant.head
            exchange.output.append(head.span)
            let saved = exchange.request.method == .head ? 0 : stored.bodyCount - variant.bodyCount
            worker.metrics.compression.noteSent(variant.coding, saved: saved)
            return
        case .wanted(let coding):
            if let rules = snapshot.blueprint.routes[exchange.record.route].cache {
                EncodingTask.start(on: worker, stored, coding, rules)
            }
        case .asIs: break
        }
        stored.head.append(to: exchange.output)
    }
}
