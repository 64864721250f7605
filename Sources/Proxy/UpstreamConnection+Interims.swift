import Caching
import HTTP1
import HTTPModel
import Primitives
import Upstreams

extension UpstreamConnection {
    /// Reads the final head of an answer. Interim ones, but 100, go to the client that caused the fetch.
    func readFinalHead(
        for method: Method, until deadline: MonotonicTime, passingInterimsTo fill: Fill
    ) async throws(UpstreamError) {
        try await readHead(for: method, until: deadline)
        while response.status.isInformational {
            if response.status != 100 {
                let head = ByteBuffer(capacity: 1024)
                ForwardedHead.append(response, .none, LimitFieldMerge(), to: head)
                HTTP1Writer.appendEndOfHead(to: head)
                fill.publishInterim(head.readable.copied)
            }
            try await readHead(for: method, until: deadline)
        }
    }
}
