import Primitives
import TestKit

/// An origin that answers rightly, in many ways, or fails, in many ways.
struct RandomOrigin: Sendable {
    let ledger: Ledger
    /// Whether it also fails.
    let fails: Bool

    func serve(_ peer: SimulatedPeer) async throws {
        while true {
            guard var request = try? await peer.readHead() else { return }
            note(request)
            // The proxy may give an origin up that goes on.
            let isCollapsed =
                !fails && request.target.hasPrefix("/one") && request.method == "GET"
            if isCollapsed { ledger.fetchBegan(request.target) }
            defer { if isCollapsed { ledger.fetchEnded(request.target) } }
            if fails && ledger.oneIn(request.target.hasPrefix("/upload") ? 4 : 12) {
                try await answerEarly(peer, request)
                return
            }
            try await peer.readBody(of: &request)
            check(request)
            guard try await answer(peer, request) else { return }
            if fails && ledger.oneIn(8) {
                // An idle connection that ends, now or in a while.
                await peer.sleep(ledger.milliseconds(ledger.pick([0, 1, 1000])))
                return
            }
        }
    }

    // MARK: What must be true of a request

    private func note(_ request: SimulatedMessage) {
        let id = request["X-ID"] ?? ""
        if request.target == "/smuggled" { ledger.violation("a body became a request: \(id)") }
        ledger.arrived(id, method: request.method, path: request.target)
        ledger.tell("origin \(request.startLine) \(id)")
        if request.all("Via").isEmpty { ledger.violation("no Via: \(id)") }
        if request["X-Secret"] != nil { ledger.violation("a hop-by-hop field passed: \(id)") }
        if request["Expect"] != nil { ledger.violation("Expect passed: \(id)") }
        if request.all("Host") != ["api.example.com"] { ledger.violation("Host: \(id)") }
    }

    private func check(_ request: SimulatedMessage) {
        guard let length = request["X-Length"].flatMap(Int.init) else { return }
        let wanted = RandomClient.body(of: request["X-ID"] ?? "", length)
        if request.body != wanted {
            ledger.violation(
                "\(request["X-ID"] ?? ""): a body of \(request.body.count) instead of \(length) bytes"
            )
        }
    }

    // MARK: Answers

    private func truth(for request: SimulatedMessage, _ now: MonotonicTime) -> Truth {
        let path = request.target
        let isShared =
            path.hasPrefix("/cached") || path.hasPrefix("/one") || path.hasPrefix("/vary")
        let asked = request["Authorization"] ?? (isShared ? nil : request["X-User"])
        // The length depends on the rest, so that a revalidated answer is still right.
        let version = Truth.version(at: now)
        let length = [100, 300, 900, 3000, 20_000][Int(version % 5)]
        return Truth(
            path: path, user: asked ?? "-",
            language: path.hasPrefix("/vary") ? request["X-Lang"] ?? "-" : "-", version: version,
            length: length)
    }

    private func fields(_ truth: Truth) -> String {
        var fields = "ETag: \(truth.etag)\r\nX-Path: \(truth.path)\r\n"
        if truth.path.hasPrefix("/vary") { fields += "Vary: X-Lang\r\n" }
        if truth.path.hasPrefix("/nostore") { fields += "Cache-Control: no-store\r\n" }
        return fields
    }

    /// Answers in one of the right ways, or fails; `false` when the connection has ended.
    private func answer(_ peer: SimulatedPeer, _ request: SimulatedMessage) async throws -> Bool {
        await peer.sleep(ledger.milliseconds(ledger.pick([0, 0, 5, 300])))
        if fails && ledger.oneIn(6) { return try await fail(peer, request) }
        if ledger.oneIn(8) {
            try await peer.send("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
        }
        let truth = truth(for: request, peer.now)
        if request["If-None-Match"] == truth.etag {
            try await peer.send("HTTP/1.1 304 Not Modified\r\n\(fields(truth))\r\n")
            return true
        }
        return try await send(truth, peer, isHead: request.method == "HEAD", cut: nil)
    }

    /// Sends the body that is right, whole or `cut` after so many bytes.
    private func send(
        _ truth: Truth, _ peer: SimulatedPeer, isHead: Bool, cut: Int?
    ) async throws -> Bool {
        let body = truth.body
        let sent = Array(body.prefix(cut ?? body.count))
        let head = "HTTP/1.1 200 OK\r\n\(fields(truth))"
        let way = ledger.below(4)
        switch way {
        case 0, 1:
            let end = way == 1 ? "Connection: close\r\n" : ""
            try await peer.send(head + end + "Content-Length: \(body.count)\r\n\r\n")
            if !isHead { try await send(sent, peer) }
        case 2:
            try await peer.send(head + "Transfer-Encoding: chunked\r\n\r\n")
            if isHead { return cut == nil }
            try await sendChunks(sent, peer)
            if cut == nil { try await peer.send("0\r\n\r\n") }
        default:
            try await peer.send(head + "Connection: close\r\n\r\n")
            if !isHead { try await send(sent, peer) }
            // An end in good order would make it whole.
            if cut != nil { peer.reset() }
        }
        return cut == nil && (way == 0 || way == 2)
    }

    private func send(_ bytes: [UInt8], _ peer: SimulatedPeer) async throws {
        guard bytes.count > 1, ledger.oneIn(3) else { return try await peer.send(bytes: bytes) }
        let first = 1 + ledger.below(bytes.count - 1)
        try await peer.send(bytes: Array(bytes[..<first]))
        await peer.sleep(ledger.milliseconds(50))
        try await peer.send(bytes: Array(bytes[first...]))
    }

    private func sendChunks(_ bytes: [UInt8], _ peer: SimulatedPeer) async throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let chunk = rest.prefix(1 + ledger.below(max(400, bytes.count / 4)))
            rest = rest.dropFirst(chunk.count)
            try await peer.send(String(chunk.count, radix: 16) + "\r\n")
            try await peer.send(bytes: Array(chunk) + [13, 10])
            if ledger.oneIn(4) { await peer.sleep(ledger.milliseconds(20)) }
        }
    }

    // MARK: Failures

    private func fail(_ peer: SimulatedPeer, _ request: SimulatedMessage) async throws -> Bool {
        let way = ledger.below(7)
        ledger.tell("origin fails \(way) \(request["X-ID"] ?? "")")
        switch way {
        case 0: peer.reset()
        case 1: return false
        case 2:
            let status = ledger.pick(["500 Internal Server Error", "503 Service Unavailable"])
            try await peer.send("HTTP/1.1 \(status)\r\nContent-Length: 4\r\n\r\noops")
            return true
        case 3:
            try await peer.send(
                "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab")
        case 4:
            await peer.sleep(.seconds(20))
        case 5:
            try await peer.send("HTTP/1.1 200 OK\r\nX-Half: ")
            peer.reset()
        default:
            let truth = truth(for: request, peer.now)
            let cut = ledger.below(truth.body.count)
            return try await send(truth, peer, isHead: request.method == "HEAD", cut: cut)
        }
        return false
    }

    /// Answers before the body was read, or not at all, and ends.
    private func answerEarly(_ peer: SimulatedPeer, _ request: SimulatedMessage) async throws {
        if ledger.oneIn(2) {
            await peer.sleep(ledger.milliseconds(20))
            return peer.reset()
        }
        try await peer.send("HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nbig")
        await peer.sleep(ledger.milliseconds(10))
        if ledger.oneIn(2) { peer.reset() }
    }
}
