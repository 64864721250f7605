import HTTPModel

/// How a body is framed towards the client.
enum BodyWriter {
    /// The framing of an origin's answer towards a client of `version`.
    ///
    /// A known length stays; chunks stay chunks; what ended with the origin's connection becomes chunks. A
    /// client of HTTP/1.0 knows no chunks: the end of its connection ends the body.
    static func framing(
        of response: borrowing ResponseHead, for method: Method, client version: HTTPVersion
    ) -> BodyFraming {
        if method == .head || response.status.forbidsBody { return .none }
        switch response.framing {
        case .none: return .length(0)
        case .length(let length): return .length(length)
        case .chunked, .untilClose: return version == .http11 ? .chunked : .untilClose
        }
    }
}
