import Primitives
import TestKit

/// An origin that serves ranges of a body that changes: every byte says of which version it is.
struct RangeOrigin: Sendable {
    /// What happens to an answer.
    struct Manners: Sendable {
        /// The body ends after so many bytes, and the connection with it.
        var cut: Int?
        /// Range is not understood.
        var ignoresRanges = false
    }

    /// The length of each version's body.
    var length: @Sendable (Int) -> Int = { _ in 2000 }
    /// The fields of each answer, with their line ends.
    var fields = "Cache-Control: max-age=60\r\n"
    /// The entity tag of a version.
    var etag: @Sendable (Int) -> String = { "\"v\($0)\"" }

    /// The body of `version`.
    func content(_ version: Int) -> [UInt8] {
        (0..<length(version)).map { i -> UInt8 in
            let letter: Int = i &* 7 &+ version &* 31 &+ i / 90
            return UInt8(33 + letter % 90)
        }
    }

    /// The head and the body that answer `request`.
    func answer(
        _ request: SimulatedMessage, _ version: Int, ignoringRanges: Bool = false
    ) -> (head: String, body: [UInt8]) {
        let body = content(version)
        let common = "ETag: \(etag(version))\r\n\(fields)"
        if request["If-None-Match"] == etag(version) {
            return ("HTTP/1.1 304 Not Modified\r\n\(common)\r\n", [])
        }
        let holds = request["If-Range"] == nil || request["If-Range"] == etag(version)
        guard !ignoringRanges, holds, let value = request["Range"]?.dropFirst(6),
            !value.contains(",")
        else {
            return ("HTTP/1.1 200 OK\r\n\(common)Content-Length: \(body.count)\r\n\r\n", body)
        }
        let ends = value.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
        let first = ends[0] ?? max(0, body.count - (ends[1] ?? 0))
        let last = ends[0] == nil ? body.count - 1 : min(ends[1] ?? .max, body.count - 1)
        guard first <= last else {
            return (
                "HTTP/1.1 416 Range Not Satisfiable\r\nContent-Range: bytes */\(body.count)\r\nContent-Length: 0\r\n\r\n",
                []
            )
        }
        let head =
            "HTTP/1.1 206 Partial Content\r\n\(common)Content-Range: bytes \(first)-\(last)/\(body.count)\r\n"
        return (head + "Content-Length: \(last - first + 1)\r\n\r\n", Array(body[first...last]))
    }

    /// Serves a connection; `version` and `manners` are asked for each request.
    func serve(
        _ peer: SimulatedPeer, _ seen: Probe<[SimulatedMessage]>,
        version: @Sendable (SimulatedPeer) -> Int,
        manners: @Sendable (SimulatedMessage) -> Manners = { _ in Manners() }
    ) async throws {
        while let request = try await peer.nextRequest() {
            seen.update { $0.append(request) }
            let manners = manners(request)
            let (head, body) = answer(
                request, version(peer), ignoringRanges: manners.ignoresRanges)
            try await peer.send(head)
            if let cut = manners.cut, cut < body.count {
                try await peer.send(bytes: Array(body[..<cut]))
                return peer.close()
            }
            try await peer.send(bytes: body)
        }
    }
}
