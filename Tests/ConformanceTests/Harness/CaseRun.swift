import BinaryKit
import Foundation

/// One case while it runs: what the origin shall answer now, and what went wrong so far.
final class CaseRun: Sendable {
    private let item: Case
    private let proxy: RunningWeir
    private let path: String
    /// When it began, in seconds since 1970.
    private let start = Dates.now
    private let state = Board(State())

    private struct State {
        var number = 0
        var exchange = get()
        var asked: [RawConnection.Message] = []
        var failures: [String] = []
        /// The contents of the origin's answers by exchange, and their targets.
        var contents: [Int: (target: String, status: Int, text: String)] = [:]
    }

    init(_ item: Case, _ proxy: RunningWeir) {
        self.item = item
        self.proxy = proxy
        path = "/\(item.setting.name)/\(item.id)"
    }

    /// Runs it to its end; what went wrong, or nothing.
    func run() -> [String] {
        for (index, exchange) in item.script.enumerated() {
            let isAfterRefresh = index > 0 && item.script[index - 1].isBehind
            do {
                if exchange.pause > .zero {
                    Thread.sleep(forTimeInterval: exchange.pause.inSeconds)
                }
                begin(index + 1, exchange)
                try exchange.replies.isEmpty && isAfterRefresh
                    ? askUntilRefreshed(exchange) : askOnce(exchange)
            } catch {
                fail("\(error)")
            }
            // What follows builds on it.
            if !state.value.failures.isEmpty { break }
        }
        return state.value.failures
    }

    private func begin(_ number: Int, _ exchange: Exchange) {
        state.change {
            $0.number = number
            $0.exchange = exchange
            $0.asked = []
        }
    }

    private func fail(_ what: String) {
        state.change { $0.failures.append("exchange \($0.number): \(what)") }
    }

    private func expand(_ line: String) -> String {
        Dates.expand(line, start: start, path: path)
    }

    // MARK: The origin's side

    /// The reply to a request that the origin got, and whether it waits for further clients.
    func answer(to request: RawConnection.Message) -> (reply: Reply, waits: Bool) {
        state.change { state in
            state.asked.append(request)
            let exchange = state.exchange
            var position = state.asked.count - 1
            // A connection that closes without an answer may have been closed while it was idle: once more.
            if exchange.replies.last?.framing == .some(.none) {
                position = min(position, exchange.replies.count - 1)
            }
            guard position < exchange.replies.count else {
                return (
                    Reply(status: 599, fields: ["Cache-Control: no-store"], content: "?"), false
                )
            }
            var reply = exchange.replies[position]
            reply.fields = reply.fields.map(expand)
            if reply.hasDate
                && !reply.fields.contains(where: { $0.lowercased().hasPrefix("date:") })
            {
                reply.fields.append("Date: \(Dates.imfFixdate(Dates.now))")
            }
            if reply.status != 304 && request.method != "HEAD" {
                let text = reply.content ?? "answer \(state.number) of \(item.id)"
                reply.content = text
                state.contents[state.number] = (
                    exchange.host + exchange.target, reply.status, reply.status == 204 ? "" : text
                )
            }
            return (reply, exchange.clients > 1)
        }
    }

    /// Waits until the further clients of the exchange read its answer too.
    func awaitFollowers() throws { try followers.pass("further clients read the running answer") }
    private let followers = Gate()

    // MARK: The client's side

    private func askOnce(_ exchange: Exchange) throws {
        let answer: Answer
        if exchange.clients > 1 {
            let first = Background { [self] in try ask(exchange, isFollower: false) }
            try state.wait(for: "the first request at the origin") { $0.asked.count > 0 ? () : nil }
            answer = try ask(exchange, isFollower: true)
            _ = try first.value()
        } else {
            answer = try ask(exchange, isFollower: false)
        }
        if exchange.isBehind {
            try state.wait(for: "the request behind the client", within: .seconds(10)) {
                $0.asked.count >= exchange.replies.count ? () : nil
            }
        }
        checkOrigin(exchange)
        check(exchange, answer)
    }

    /// Asks again until what was fetched behind the client has been stored.
    private func askUntilRefreshed(_ exchange: Exchange) throws {
        for attempt in 1...100 {
            begin(state.value.number, exchange)
            let answer = try ask(exchange, isFollower: false)
            let mark = state.value.failures.count
            checkOrigin(exchange)
            check(exchange, answer)
            let isGood = state.value.failures.count == mark
            if isGood || attempt == 100 { return }
            state.change { $0.failures.removeLast($0.failures.count - mark) }
            Thread.sleep(forTimeInterval: 0.02)
        }
    }

    private struct Answer {
        var message: RawConnection.Message
        var interim: [Int]
        var isCutShort = false
    }

    private func ask(_ exchange: Exchange, isFollower: Bool) throws -> Answer {
        let connection = try proxy.connect()
        connection.socket.bound(.seconds(15))
        var lines = ["\(exchange.method) \(path)\(exchange.target) HTTP/1.1"]
        lines.append("Host: \(exchange.host)")
        lines += exchange.fields.map(expand)
        if let body = exchange.body { lines.append("Content-Length: \(body.utf8.count)") }
        try connection.send(lines.joined(separator: "\r\n") + "\r\n\r\n" + (exchange.body ?? ""))
        var interim: [Int] = []
        while true {
            guard var head = try connection.readHead() else {
                throw Failure("the client got no answer")
            }
            if (100..<200).contains(head.status) {
                interim.append(head.status)
                continue
            }
            if isFollower { followers.open() }
            if exchange.method == "HEAD" || head.status == 204 || head.status == 304 {
                return Answer(message: head, interim: interim)
            }
            do {
                try connection.readBody(of: &head, endsWithConnection: true)
            } catch is Failure {
                return Answer(message: head, interim: interim, isCutShort: true)
            } catch is RawSocket.Reset {
                return Answer(message: head, interim: interim, isCutShort: true)
            }
            return Answer(message: head, interim: interim)
        }
    }

    // MARK: Checks

    private func checkOrigin(_ exchange: Exchange) {
        let asked = state.value.asked
        let wanted = exchange.replies.count
        let isRepeatable = exchange.replies.last?.framing == .some(.none)
        if asked.count != wanted && !(isRepeatable && asked.count == wanted + 1) {
            fail("the origin was asked \(asked.count) times instead of \(wanted)")
        }
        guard let request = asked.first else { return }
        for line in exchange.originSees {
            if let what = mismatch(line, in: request) { fail("the origin's request \(what)") }
        }
        for name in exchange.originLacks where request[name] != nil {
            fail("the origin's request has `\(name): \(request[name] ?? "")`")
        }
    }

    private func check(_ exchange: Exchange, _ answer: Answer) {
        let message = answer.message
        let reference = reference(of: exchange)
        defer {
            // It says what Weir thought.
            if !state.value.failures.isEmpty, let text = message["cache-status"] { fail(text) }
        }
        let isBroken = exchange.content == .cutShort && message.status == 502
        if let status = exchange.status ?? reference?.status, message.status != status, !isBroken {
            fail("the client got \(message.status) instead of \(status)")
        }
        if let interim = exchange.interim, interim != answer.interim {
            fail("the interim answers are \(answer.interim) instead of \(interim)")
        }
        checkContent(exchange, answer, reference?.text)
        for line in exchange.sees {
            if let what = mismatch(line, in: message) { fail("the client's answer \(what)") }
        }
        for name in exchange.lacks where message[name] != nil {
            fail("the client's answer has `\(name): \(message[name] ?? "")`")
        }
        if let range = exchange.age {
            let age = message["age"].flatMap { Int($0) }
            if age.map(range.contains) != true {
                fail("Age is \(message["age"] ?? "missing") instead of \(range)")
            }
        }
        checkCacheStatus(exchange, message["cache-status"] ?? "")
    }

    /// The answer whose status and content the client must see.
    private func reference(of exchange: Exchange) -> (status: Int, text: String)? {
        let (contents, number) = (state.value.contents, state.value.number)
        if case .of(let index) = exchange.content { return contents[index].map { ($0.1, $0.2) } }
        if !exchange.isBehind, let own = contents[number] { return (own.status, own.text) }
        if !exchange.isBehind, exchange.method == "HEAD", let last = exchange.replies.last {
            return (last.status, "")
        }
        let same = contents.filter {
            $0.key < number && $0.value.target == exchange.host + exchange.target
        }
        return same.max { $0.key < $1.key }.map { ($0.value.status, $0.value.text) }
    }

    private func checkContent(_ exchange: Exchange, _ answer: Answer, _ expected: String?) {
        if exchange.content == .cutShort && answer.message.status == 502 { return }
        if answer.isCutShort != (exchange.content == .cutShort) {
            return fail(answer.isCutShort ? "the content is cut short" : "the content is whole")
        }
        let text = answer.message.text
        switch exchange.content {
        case .any, .cutShort: return
        case .text(let wanted):
            if text != wanted { fail("the content is `\(text)` instead of `\(wanted)`") }
        case .containing(let wanted):
            var rest = Substring(text)
            for part in wanted {
                guard let found = rest.range(of: part) else {
                    return fail("the content `\(text)` has no `\(part)` where it should")
                }
                rest = rest[found.upperBound...]
            }
        case .expected, .of:
            // An answer of another status than the reference has a content of its own.
            guard exchange.method != "HEAD", answer.message.status != 304,
                exchange.status == nil || exchange.content != .expected, let expected
            else { return }
            if text != expected { fail("the content is `\(text)` instead of `\(expected)`") }
        }
    }

    private func checkCacheStatus(_ exchange: Exchange, _ text: String) {
        guard exchange.says + exchange.saysNot != [] || exchange.ttl != nil else { return }
        let members = text.components(separatedBy: ", ").filter { $0.hasPrefix("weir") }
        let parts = (members.last ?? "").components(separatedBy: "; ")
        for wanted in exchange.says where !parts.contains(wanted) {
            fail("Cache-Status `\(text)` has no `\(wanted)`")
        }
        for unwanted in exchange.saysNot
        where parts.contains(where: { $0 == unwanted || $0.hasPrefix(unwanted + "=") }) {
            fail("Cache-Status `\(text)` has `\(unwanted)`")
        }
        guard let range = exchange.ttl else { return }
        let ttl = parts.lazy.compactMap { $0.hasPrefix("ttl=") ? Int($0.dropFirst(4)) : nil }.first
        if ttl.map(range.contains) != true { fail("Cache-Status `\(text)` has no ttl in \(range)") }
    }

    /// What is wrong with `message` when it must have `line`; `nil` when nothing is.
    private func mismatch(_ line: String, in message: RawConnection.Message) -> String? {
        let isPart = line.contains(" ~ ")
        let parts = expand(line).components(separatedBy: isPart ? " ~ " : ": ")
        let wanted = parts.count > 1 ? parts[1...].joined(separator: isPart ? " ~ " : ": ") : nil
        guard let value = message[parts[0]] else { return "has no `\(parts[0])`" }
        guard let wanted else { return nil }
        if isPart ? value.contains(wanted) : value == wanted { return nil }
        return "has `\(parts[0]): \(value)` instead of `\(wanted)`"
    }
}
