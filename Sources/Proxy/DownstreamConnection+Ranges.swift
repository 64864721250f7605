import Caching
import EventLoop
import HTTP1
import HTTPModel
import Primitives
import Settings

/// Sending parts of answers, from where they are stored or as they arrive.
extension DownstreamConnection {
    /// What the request gets of a stored answer.
    func form(_ exchange: Exchange, of head: CachedHead) -> AnswerForm {
        exchange.lendRequest { request in
            AnswerForm(for: request, of: head, now: worker.loop.clock.wall.epochSeconds)
        }
    }

    /// What the request gets of an answer that is on its way: it comes once and in order, so that of several
    /// ranges all is sent. Who may not store an answer passes it on as it is. Of a fetch for a `part` it gets that.
    func form(
        _ exchange: Exchange, ofArriving head: CachedHead, part: BodySlice?
    ) -> AnswerForm {
        // What a condition means for an unsafe method the origin has judged.
        guard exchange.request.method.isSafe else { return .whole }
        return switch form(exchange, of: head) {
        case .notModified: .notModified
        case _ where part != nil: part.map { .part($0) } ?? .whole
        case .part(let slice) where head.isStorable: .part(slice)
        case .unsatisfiable where head.isStorable: .unsatisfiable
        default: .whole
        }
    }

    /// Puts status line and stored fields in one of the forms into the output; `.parts` has a head of its own.
    func appendHead(_ exchange: Exchange, _ head: CachedHead, as form: AnswerForm) {
        let output = exchange.output
        switch form {
        case .notModified:
            head.appendNotModified(to: output, weakening: wantsCoding(exchange, of: head))
        case .part(let slice): head.append(slice, to: output)
        case .unsatisfiable:
            head.appendUnsatisfiable(to: output)
            worker.appendDate(to: output)
        case .whole, .parts:
            head.append(to: output)
            let method = exchange.request.method
            if method == .get || method == .head { head.appendAcceptRanges(to: output) }
        }
    }

    /// Prepares the body for several ranges of a stored answer.
    func multipart(_ slices: BodySlices, of stored: StoredResponse) -> MultipartRanges {
        let boundary = worker.shared.cache.secretDigest(of: worker.random.next())
        return MultipartRanges(slices, of: stored.head, boundary: boundary)
    }

    /// Sends the head, which is in the output, and the parts with theirs.
    func sendParts(
        _ exchange: Exchange, _ stored: StoredResponse, _ parts: MultipartRanges
    ) async throws(StreamError) {
        let output = exchange.output
        exchange.record.bodyBytes = UInt64(parts.count)
        for index in parts.slices.indices {
            parts.appendHead(of: index, to: output)
            try await sendSlice(exchange, stored, parts.slices[index])
            parts.appendPartEnd(to: output)
        }
        parts.appendEnd(to: output)
        try await stream.write(output, patience: http.idleTimeout)
    }

    /// Sends a slice of a stored body behind what is in the output; a small rest stays there.
    func sendSlice(
        _ exchange: Exchange, _ stored: StoredResponse, _ slice: BodySlice
    ) async throws(StreamError) {
        let output = exchange.output
        var (index, offset) = stored.place(of: slice.start)
        var rest = slice.count
        while rest > 0 {
            let segment = stored.body[index]
            let count = min(segment.count - offset, rest)
            if count > Bounds.copiedBody {
                try await stream.write(
                    output, segment, offset..<offset + count, patience: http.idleTimeout)
            } else {
                output.append(segment.span.extracting(offset..<offset + count))
                if output.count >= Bounds.gathered {
                    try await stream.write(output, patience: http.idleTimeout)
                }
            }
            rest -= count
            index += 1
            offset = 0
        }
    }

    /// Appends a small slice of a stored body.
    func appendSlice(_ stored: StoredResponse, _ slice: BodySlice, to output: ByteBuffer) {
        var (index, offset) = stored.place(of: slice.start)
        var rest = slice.count
        while rest > 0 {
            let segment = stored.body[index]
            let count = min(segment.count - offset, rest)
            output.append(segment.span.extracting(offset..<offset + count))
            rest -= count
            index += 1
            offset = 0
        }
    }
}
