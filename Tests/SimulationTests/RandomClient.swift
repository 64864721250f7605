import Primitives
import TestKit

/// A client that asks for this and that, patiently or not, and checks every whole answer it gets.
struct RandomClient: Sendable {
    let ledger: Ledger
    let number: Int
    /// Whether its X-User is believed.
    let isTrusted: Bool
    /// Whether it may stall or leave.
    let misbehaves: Bool
    /// Whether every request must be answered well.
    let isStrict: Bool

    private struct Ask {
        var id: String
        var method: String
        var path: String
        var user: String
        var language: String
        var condition: String?
        var bytes: [UInt8]
        var expectsContinue = false
        var body: [UInt8] = []
        var isEnding = false
        /// Before its first byte was sent.
        var sent = MonotonicTime(nanoseconds: 0)
    }

    /// The body of the request `id`: were a part of it taken for a request, the origin would know.
    static func body(of id: String, _ length: Int) -> [UInt8] {
        let letters = Array(
            "POST /smuggled HTTP/1.1\r\nHost: evil\r\nContent-Length: 0\r\nX-ID: \(id)\r\n\r\n".utf8
        )
        return (0..<length).map { letters[$0 % letters.count] }
    }

    func run(_ peer: SimulatedPeer) async throws {
        await peer.sleep(ledger.milliseconds(ledger.pick([0, 2, 400, 4000])))
        var etags: [String: String] = [:]
        for round in 0..<(1 + ledger.below(4)) {
            var asks = (0..<(ledger.oneIn(4) ? 3 : 1)).map { _ in makeAsk(etags) }
            if asks.count > 1 { asks.removeAll { $0.expectsContinue } }
            guard !asks.isEmpty else { continue }
            if ledger.oneIn(8) { asks[asks.count - 1] = endingAsk(asks[asks.count - 1]) }
            for index in asks.indices { asks[index].sent = peer.now }
            try await send(asks, peer)
            if misbehaves && ledger.oneIn(10) { return try await leave(peer) }
            for ask in asks {
                let answer = try await readAnswer(to: ask, peer)
                if answer.status == 200 { etags[ask.path] = answer["ETag"] }
                // A client that was told so asks nothing more on this connection.
                if answer["Connection"] == "close" { return try await peer.expectGone() }
            }
            if round < 3 { await peer.sleep(ledger.milliseconds(ledger.pick([0, 10, 900, 3000]))) }
        }
    }

    // MARK: Asking

    private func makeAsk(_ etags: [String: String]) -> Ask {
        // Most of a seed's requests are for one thing, so that they meet.
        let kind = ledger.oneIn(3) ? ledger.pick(Ledger.kinds) : ledger.theme
        let path = "\(kind)/\(ledger.oneIn(3) ? 1 : 0)"
        let method =
            switch kind {
            // Nobody may invalidate what is counted as collapsed.
            case "/one": "GET"
            case "/upload": "POST"
            default: ledger.pick(["GET", "GET", "GET", "GET", "HEAD", "POST"])
            }
        var ask = Ask(
            id: ledger.newID(), method: method, path: path, user: "-", language: "-", bytes: [])
        var fields = "Host: api.example.com\r\nX-ID: \(ask.id)\r\n"
        let isShared =
            path.hasPrefix("/cached") || path.hasPrefix("/one") || path.hasPrefix("/vary")
        if ledger.oneIn(2) {
            let name = "u\(number % 3)"
            fields += "X-User: \(name)\r\n"
            if isTrusted && !isShared { ask.user = name }
        }
        if path.hasPrefix("/cached") && ledger.oneIn(5) {
            ask.user = "secret\(number)"
            fields += "Authorization: \(ask.user)\r\n"
        }
        if path.hasPrefix("/vary") && ledger.oneIn(2) {
            ask.language = ledger.pick(["en", "de"])
            fields += "X-Lang: \(ask.language)\r\n"
        }
        if ledger.oneIn(6) { fields += "Connection: keep-alive, X-Secret\r\nX-Secret: 1\r\n" }
        if method == "GET", let etag = etags[path], ledger.oneIn(2) {
            ask.condition = etag
            fields += "If-None-Match: \(etag)\r\n"
        }
        addBody(&ask, fields)
        return ask
    }

    private func addBody(_ ask: inout Ask, _ fields: String) {
        let line = "\(ask.method) \(ask.path) HTTP/1.1\r\n"
        guard ask.method == "POST" else {
            ask.bytes = Array((line + fields + "\r\n").utf8)
            return
        }
        let length = ledger.pick([0, 10, 700, 9000, 20_000])
        let body = RandomClient.body(of: ask.id, length)
        var head = line + fields + "X-Length: \(length)\r\n"
        ask.expectsContinue = ledger.oneIn(4) && length > 0
        if ask.expectsContinue { head += "Expect: 100-continue\r\n" }
        if ledger.oneIn(2) {
            ask.bytes = Array((head + "Content-Length: \(length)\r\n\r\n").utf8)
            ask.body = body
        } else {
            ask.bytes = Array((head + "Transfer-Encoding: chunked\r\n\r\n").utf8)
            var rest = body[...]
            while !rest.isEmpty {
                let chunk = rest.prefix(1 + ledger.below(5000))
                rest = rest.dropFirst(chunk.count)
                ask.body += Array("\(String(chunk.count, radix: 16))\r\n".utf8) + chunk + [13, 10]
            }
            ask.body += Array("0\r\n\r\n".utf8)
        }
        if !ask.expectsContinue {
            ask.bytes += ask.body
            ask.body = []
        }
    }

    /// The same as HTTP/1.0, which ends the connection.
    private func endingAsk(_ ask: Ask) -> Ask {
        guard ask.method == "GET" else { return ask }
        var last = ask
        last.isEnding = true
        let text = String(decoding: ask.bytes, as: UTF8.self)
        last.bytes = Array(
            text.replacing("HTTP/1.1", with: "HTTP/1.0").replacing(
                "Connection: keep-alive, X-Secret\r\nX-Secret: 1\r\n", with: ""
            ).utf8)
        return last
    }

    private func send(_ asks: [Ask], _ peer: SimulatedPeer) async throws {
        for ask in asks { ledger.tell("client \(number) \(ask.method) \(ask.path) \(ask.id)") }
        let bytes = asks.flatMap(\.bytes)
        let isSlow = ledger.oneIn(6)
        if isSlow || misbehaves && ledger.oneIn(8) {
            let first = ledger.below(bytes.count)
            try await peer.send(bytes: Array(bytes[..<first]))
            await peer.sleep(misbehaves ? ledger.milliseconds(9000) : ledger.milliseconds(900))
            try await peer.send(bytes: Array(bytes[first...]))
        } else {
            try await peer.send(bytes: bytes)
        }
        guard let ask = asks.first, ask.expectsContinue else { return }
        if misbehaves && ledger.oneIn(3) { await peer.sleep(.milliseconds(100)) }
    }

    /// Leaves without waiting for the answer, in one of many ways.
    private func leave(_ peer: SimulatedPeer) async throws {
        await peer.sleep(ledger.milliseconds(ledger.pick([0, 2, 400])))
        ledger.tell("client \(number) leaves")
        switch ledger.below(3) {
        case 0: peer.reset()
        case 1: peer.close()
        default:
            peer.closeWriting()
            try await peer.expectGone()
        }
    }

    // MARK: Checking

    /// Reads the answer and judges it.
    private func readAnswer(
        to ask: Ask, _ peer: SimulatedPeer
    ) async throws -> SimulatedMessage {
        if misbehaves && ledger.oneIn(10) { await peer.sleep(ledger.milliseconds(12_000)) }
        var answer = try await peer.readResponse(toHead: ask.method == "HEAD")
        while answer.status < 200 {
            if answer.status == 100 {
                if !ask.expectsContinue {
                    ledger.violation("\(ask.id): 100 without being asked for")
                }
                try await peer.send(bytes: ask.body)
            } else if ask.isEnding {
                ledger.violation("\(ask.id): \(answer.startLine) for HTTP/1.0")
            }
            answer = try await peer.readResponse(toHead: ask.method == "HEAD")
        }
        ledger.answered()
        ledger.tell("client \(number) got \(answer.startLine) for \(ask.id)")
        judge(answer, ask, peer.now)
        return answer
    }

    private func judge(_ answer: SimulatedMessage, _ ask: Ask, _ now: MonotonicTime) {
        switch answer.status {
        case 200:
            if answer["X-Path"] != ask.path { ledger.violation("\(ask.id): another's head") }
            if ask.method != "HEAD" { judgeBody(answer, ask, now) }
        case 304:
            if ask.condition == nil || answer["ETag"] != ask.condition {
                ledger.violation("\(ask.id): 304 for \(ask.condition ?? "no condition")")
            }
        case 429:
            if !ask.path.hasPrefix("/limited") {
                ledger.violation("\(ask.id): 429 without a limit")
            }
            if answer["Retry-After"] == nil { ledger.violation("\(ask.id): no Retry-After") }
        default:
            let allowed = [408, 413, 499, 500, 502, 503, 504]
            if isStrict || !allowed.contains(answer.status) {
                ledger.violation("\(ask.id) \(ask.path): \(answer.startLine) \(answer.text)")
            }
        }
    }

    private func judgeBody(_ answer: SimulatedMessage, _ ask: Ask, _ now: MonotonicTime) {
        guard let truth = Truth(reading: answer.body) else {
            ledger.violation("\(ask.id) \(ask.path): not a right body: \(answer.text.prefix(80))")
            return
        }
        if truth.path != ask.path || truth.user != ask.user || truth.language != ask.language {
            ledger.violation("\(ask.id) of \(ask.user) \(ask.language): the answer of \(truth)")
        }
        let least = ledger.leastVersion(path: ask.path, user: ask.user, sentAt: ask.sent)
        if truth.version < least {
            ledger.violation("\(ask.id) \(ask.path): version \(truth.version), purged at \(least)")
        }
        // Fresh for 2 s, stale for at most 6 s; the rest is for the way and for slow readers.
        let made = truth.version * Truth.versionSeconds
        if now.nanoseconds / 1_000_000_000 > made + Truth.versionSeconds + 8 + 40 {
            ledger.violation("\(ask.id): an answer of long ago")
        }
    }
}
