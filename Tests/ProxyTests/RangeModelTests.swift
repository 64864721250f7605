import Primitives
import Proxy
import TestKit
import Testing

/// Random ranges of an answer that changes and breaks off: whatever comes whole to a client is of one version.
@Suite struct RangeModelTests {
    /// What the clients of all worlds saw.
    private struct Tally: Sendable {
        var violations: [String] = []
        var hits = 0
        var completed = 0
        var broken = 0
    }

    @Test func `no answer holds a byte of another version`() throws {
        let tally = Probe(Tally())
        for seed in Seeds.upTo(40) { try run(seed, tally) }
        #expect(tally.value.violations == [])
        // The interesting things did happen.
        #expect(tally.value.hits > 40)
        #expect(tally.value.completed > 5)
        #expect(tally.value.broken > 0)
    }

    private func run(_ seed: UInt64, _ tally: Probe<Tally>) throws {
        let world = try ProxyWorld("cache: {ttl: 4s, early_refresh: off}", seed: seed)
        let random = Probe(SeededRandom(seed: seed &* 977))
        let below: @Sendable (Int) -> Int = { bound in
            var drawn = 0
            random.update { drawn = $0.below(bound) }
            return drawn
        }
        var origin = RangeOrigin()
        origin.fields = ""
        origin.length = { $0 % 4 == 3 ? 700 : 3000 }
        let served = origin
        let seen = Probe<[SimulatedMessage]>([])
        let start = Probe<MonotonicTime?>(nil)
        world.origin { peer in
            try await served.serve(
                peer, seen,
                version: { peer in
                    if start.value == nil { start.value = peer.now }
                    let began = start.value ?? peer.now
                    return Int((peer.now - began).wholeSeconds / 7)
                },
                manners: { _ in
                    RangeOrigin.Manners(
                        cut: below(4) == 0 ? below(3000) : nil, ignoresRanges: below(8) == 0)
                })
        }
        for _ in 0..<50 {
            let wait = Nanoseconds.milliseconds(UInt64(below(30_000)))
            let etag = below(3) == 0 ? "\"v\(below(5))\"" : nil
            let (a, b) = (below(3100), below(900))
            let fields =
                switch below(8) {
                case 0, 1: ""
                case 2: "Range: bytes=\(a)-\r\n"
                case 3: "Range: bytes=-\(b)\r\n"
                case 4: "Range: bytes=\(b)-\(b + 99),\(a)-\(a + 99)\r\n"
                default: "Range: bytes=\(a)-\(a + b)\r\n"
                }
            let condition =
                etag.map { (below(2) == 0 ? "If-Range: " : "If-None-Match: ") + $0 + "\r\n" } ?? ""
            let request =
                "GET /a HTTP/1.1\r\nHost: api.example.com\r\n\(fields)\(condition)\r\n"
            world.client { peer in
                await peer.sleep(wait)
                guard let answer = try? await peer.ask(request) else {
                    tally.update { $0.broken += 1 }
                    return
                }
                let status = answer["Cache-Status"] ?? ""
                tally.update {
                    if status.hasPrefix("weir; hit") { $0.hits += 1 }
                    if answer.status == 200 && status.contains("fwd-status=206") {
                        $0.completed += 1
                    }
                }
                if let wrong = RangeModelTests.wrong(answer, served) {
                    tally.update {
                        $0.violations.append("make sim SEED=\(seed): \(request) \(wrong)")
                    }
                }
            }
        }
        tally.update { [found = world.problems(ofScripts: false)] in $0.violations += found }
    }

    /// What is wrong with an answer; `nil` when nothing is.
    private static func wrong(_ answer: SimulatedMessage, _ origin: RangeOrigin) -> String? {
        switch answer.status {
        case 304, 416, 502: return nil
        case 200, 206: break
        default: return answer.startLine
        }
        guard let etag = answer["ETag"], let version = Int(etag.dropFirst(2).dropLast()) else {
            return "no ETag"
        }
        let content = origin.content(version)
        if answer.status == 200 {
            return answer.body == content ? nil : "a whole that is not version \(version)"
        }
        if let range = answer["Content-Range"] {
            return isSlice(answer.body, of: content, range) ? nil : "\(range) of \(version)"
        }
        return wrongPart(of: answer, content)
    }

    private static func isSlice(_ body: [UInt8], of content: [UInt8], _ range: String) -> Bool {
        let numbers = range.split { !$0.isNumber }.compactMap { Int($0) }
        guard numbers.count == 3, numbers[2] == content.count, numbers[1] < content.count else {
            return false
        }
        return body == Array(content[numbers[0]...numbers[1]])
    }

    /// Takes a multipart body apart by the lengths that its parts name.
    private static func wrongPart(of answer: SimulatedMessage, _ content: [UInt8]) -> String? {
        guard let boundary = answer["Content-Type"]?.split(separator: "=").last else {
            return "no boundary"
        }
        var rest = answer.body[...]
        for _ in 0..<2 {
            let head = Array("--\(boundary)\r\nContent-Range: ".utf8)
            guard rest.starts(with: head), let end = rest.dropFirst(head.count).firstIndex(of: 13)
            else { return "no part" }
            let range = String(decoding: rest[(rest.startIndex + head.count)..<end], as: UTF8.self)
            let numbers = range.split { !$0.isNumber }.compactMap { Int($0) }
            guard numbers.count == 3 else { return range }
            let count = numbers[1] - numbers[0] + 1
            let body = Array(rest[(end + 4)...].prefix(count))
            guard isSlice(body, of: content, range) else { return "a part \(range)" }
            rest = rest[(end + 4 + count + 2)...]
        }
        return rest.elementsEqual("--\(boundary)--\r\n".utf8) ? nil : "no end"
    }
}
