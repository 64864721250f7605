import BinaryKit
import Foundation

/// The origin of all cases: it answers each request as the running case says that the path belongs to.
enum CaseOrigin {
    /// Starts it; `run` finds a case by its id.
    static func start(_ run: @escaping @Sendable (String) -> CaseRun?) throws -> RawOrigin {
        try RawOrigin { _, connection in
            while let request = try connection.readRequest() {
                let parts = request.target.split { $0 == "/" || $0 == "?" }
                guard parts.count > 1, let run = run(String(parts[1])) else {
                    throw Failure("no case for \(request.target)")
                }
                let (reply, waits) = run.answer(to: request)
                if reply.delay > .zero { Thread.sleep(forTimeInterval: reply.delay.inSeconds) }
                if reply.framing == .none { return }
                try send(reply, to: request, on: connection) {
                    if waits { try run.awaitFollowers() }
                }
                if reply.framing != .length && reply.framing != .chunked { return }
            }
        }
    }

    /// Sends `reply`; `halfway` is called when head and half of the content are out.
    private static func send(
        _ reply: Reply, to request: RawConnection.Message, on connection: RawConnection,
        halfway: () throws -> Void
    ) throws {
        for head in reply.interim { try connection.send(head + "\r\n\r\n") }
        var lines = ["HTTP/1.1 \(reply.status) Scripted"] + reply.fields
        let hasContent = request.method != "HEAD" && reply.status != 204 && reply.status != 304
        let content = Array((reply.content ?? "").utf8)
        switch reply.framing {
        case .length, .cutShort:
            let isWritten = lines.contains { $0.lowercased().hasPrefix("content-length:") }
            let count = content.count + (reply.framing == .cutShort ? 100 : 0)
            if (hasContent || reply.content != nil && reply.status == 200) && !isWritten {
                lines.append("Content-Length: \(count)")
            }
        case .chunked, .cutChunks: lines.append("Transfer-Encoding: chunked")
        case .untilClose: lines.append("Connection: close")
        case .none: return
        }
        try connection.send(lines.joined(separator: "\r\n") + "\r\n\r\n")
        guard hasContent else { return }
        let isChunked = reply.framing == .chunked || reply.framing == .cutChunks
        for part in [content.prefix(content.count / 2), content.dropFirst(content.count / 2)] {
            if isChunked {
                if !part.isEmpty { try connection.sendChunk(Array(part)) }
            } else {
                try connection.send(Array(part))
            }
            if part.startIndex == 0 { try halfway() }
        }
        if reply.framing == .chunked {
            let trailers = reply.trailers.map { $0 + "\r\n" }.joined()
            try connection.send("0\r\n\(trailers)\r\n")
        }
    }
}
