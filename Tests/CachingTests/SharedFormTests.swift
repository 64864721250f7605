import Primitives
import Testing

@testable import Caching
@testable import HTTPModel

/// The form of answers in Redis: what one process writes another one reads, and nothing else is read.
@Suite struct SharedFormTests {
    private let scope: UInt64 = 7

    private func form(_ stored: StoredResponse, at clock: ClockReading = clock()) throws -> [UInt8]
    {
        try #require(SharedForm.write(stored, at: clock, scope: scope, position: 3))
    }

    private func read(_ bytes: [UInt8], at now: ClockReading = clock()) -> SharedForm.Reading {
        SharedForm.read(bytes.span, at: now, scope: scope)
    }

    private func answer(_ bytes: [UInt8], at now: ClockReading = clock()) throws -> StoredResponse {
        guard case .answer(let answer) = read(bytes, at: now) else {
            Issue.record("\(read(bytes, at: now))")
            throw SharedFormTests.NoAnswer()
        }
        return answer.stored
    }

    private struct NoAnswer: Error {}

    @Test func `the beginning of a value tells whether a purge came after it`() throws {
        let whole = try form(stored(request("/a"), [("Cache-Control", "max-age=100")]))
        let first = Array(whole.prefix(SharedForm.beginningCount))
        #expect(
            SharedForm.readBeginning(first.span) == .answer(PurgePosition(word: 3)))
        let (nothing, foreign, short) = (bytes(""), bytes("hello"), Array(whole.prefix(90)))
        #expect(SharedForm.readBeginning(nothing.span) == .none)
        #expect(SharedForm.readBeginning(foreign.span) == .foreign)
        #expect(SharedForm.readBeginning(short.span) == .foreign)
        let names = SharedForm.write(names: bytes("a\n"))
        #expect(SharedForm.readBeginning(names.span) == .names)
        var other = first
        other[4] += 1
        #expect(SharedForm.readBeginning(other.span) == .otherVersion)
    }

    private func problem(_ bytes: [UInt8], at now: ClockReading = clock()) -> SharedForm.Problem? {
        guard case .unusable(let problem) = read(bytes, at: now) else { return nil }
        return problem
    }

    /// A machine whose monotonic clock began `uptime` seconds before `seconds` after the epoch, and whose calendar
    /// is `skew` seconds ahead.
    private func elsewhere(_ seconds: Double, uptime: Double, skew: Double = 0) -> ClockReading {
        ClockReading(
            monotonic: MonotonicTime(nanoseconds: UInt64(uptime * 1e9)),
            wall: WallTime(
                nanoseconds: UInt64(Int64(epoch) * 1_000_000_000 + Int64((seconds + skew) * 1e9))))
    }

    private func expectSame(_ a: StoredResponse, _ b: StoredResponse) {
        #expect(a.head.key == b.head.key)
        #expect(a.head.variant == b.head.variant)
        #expect(a.head.status == b.head.status)
        #expect(a.head.bytes == b.head.bytes)
        #expect(a.head.unsent == b.head.unsent)
        #expect(b.head.personal.isEmpty)
        #expect(a.head.contentLength == b.head.contentLength)
        #expect(a.head.etagRange == b.head.etagRange)
        #expect(a.head.lastModifiedRange == b.head.lastModifiedRange)
        #expect(a.head.lastModifiedSeconds == b.head.lastModifiedSeconds)
        #expect(a.head.acceptRanges == b.head.acceptRanges)
        #expect(a.head.date == b.head.date)
        #expect(a.head.lifetime == b.head.lifetime)
        #expect(a.head.initialAge == b.head.initialAge)
        #expect(a.head.requested == b.head.requested)
        #expect(a.head.received == b.head.received)
        #expect(a.head.delta == b.head.delta)
        #expect(a.head.tags == b.head.tags)
        #expect(a.head.isStorable && b.head.isStorable)
        #expect(a.head.isEncodable == b.head.isEncodable)
        #expect(Array(a.body.joined()) == Array(b.body.joined()))
        #expect(b.isWhole)
    }

    // MARK: There and back

    @Test func `random answers come back as they were`() throws {
        var random = SeededRandom(seed: 51)
        for _ in 0..<400 {
            let stored = RandomAnswer.make(&random)
            let now = clock(Double(random.below(5000)) + 60)
            expectSame(stored, try answer(form(stored, at: now), at: now))
        }
    }

    @Test func `a body without an end of its own has its length, and 204 has none`() throws {
        let empty = StoredResponse(
            head: cachedHead(
                request(), response(204, [("Cache-Control", "max-age=9")], framing: .none)),
            body: [])
        expectSame(empty, try answer(form(empty)))
        let large = [[UInt8]](repeating: [UInt8](repeating: 7, count: 300_000), count: 3)
        let stored = StoredResponse(
            head: cachedHead(
                request(),
                response(200, [("Cache-Control", "max-age=9")], framing: .length(900_000))),
            body: large)
        let again = try answer(form(stored))
        expectSame(stored, again)
        #expect(again.body.allSatisfy { !$0.isEmpty && $0.count <= 256 << 10 })
    }

    @Test func `parts of answers and what may not be stored are not written`() {
        let head = cachedHead(
            request(), response(200, [("Cache-Control", "max-age=9")], framing: .length(10)))
        let part = StoredResponse(
            head: head, body: [[1, 2]], parts: BodyParts([BodySlice(0, 2)], of: 10))
        #expect(SharedForm.write(part, at: clock(), scope: scope, position: 0) == nil)
        let passing = CachedHead(passing: response(200, framing: .length(0)), times: times())
        #expect(
            SharedForm.write(
                StoredResponse(head: passing, body: []), at: clock(), scope: scope, position: 0)
                == nil)
    }

    @Test func `the record of Vary comes back, and its position`() throws {
        guard case .names(let names) = read(SharedForm.write(names: bytes("accept\nx-a\n"))) else {
            Issue.record("no names")
            return
        }
        #expect(text(names) == "accept\nx-a\n")
        guard case .answer(let answer) = read(try form(stored(request()))) else {
            Issue.record("no answer")
            return
        }
        #expect(answer.position == 3)
    }

    // MARK: Times

    @Test func `the age goes on over processes and machines`() throws {
        let stored = stored(
            request(), [("Cache-Control", "max-age=60"), ("Age", "5")], times: times(delay: 1))
        // Written 10 s after it came, read 20 s after that.
        let bytes = try form(stored, at: clock(11))
        for uptime in [0.5, 7, 31, 1e6] {
            let there = elsewhere(31, uptime: uptime)
            let again = try answer(bytes, at: there)
            #expect(again.age(at: there.monotonic) == .seconds(36))
            #expect(again.freshness(at: there.monotonic) == .fresh(ttl: .seconds(24)))
            #expect(
                again.freshness(at: there.monotonic + .seconds(30)) == .stale(by: .seconds(6)))
        }
    }

    @Test func `a reader whose clock is behind sees no negative age, and none of a far future`()
        throws
    {
        let stored = stored(request(), [("Cache-Control", "max-age=60"), ("Age", "5")])
        let bytes = try form(stored)
        let behind = elsewhere(0, uptime: 100, skew: -4)
        #expect(try answer(bytes, at: behind).age(at: behind.monotonic) == .seconds(5))
        #expect(problem(bytes, at: elsewhere(0, uptime: 100, skew: -6)) == .future)
        let ahead = elsewhere(0, uptime: 100, skew: 4)
        #expect(try answer(bytes, at: ahead).age(at: ahead.monotonic) == .seconds(9))
    }

    @Test func `it was asked for before it was received, also on a machine that has just started`()
        throws
    {
        let bytes = try form(stored(request(), times: times(delay: 3)), at: clock(3))
        for uptime in [0, 1, 2.5, 500] {
            let head = try answer(bytes, at: elsewhere(4, uptime: uptime)).head
            #expect(head.requested <= head.received)
        }
    }

    // MARK: What is no value

    @Test func `what is cut off, turned around or of others is refused with its reason`() throws {
        let bytes = try form(stored(request()))
        #expect(problem([]) == .foreign)
        #expect(problem(Array("hello, this is no value".utf8)) == .foreign)
        for count in 0..<bytes.count {
            #expect(problem(Array(bytes[..<count])) != nil)
        }
        #expect(problem(bytes + [0]) == .checksum)
        var other = bytes
        other[4] = 2
        #expect(problem(other) == .version)
        guard
            case .unusable(.scope) = SharedForm.read(bytes.span, at: clock(), scope: scope + 1)
        else {
            Issue.record("another scope")
            return
        }
    }

    @Test func `every single bit counts`() throws {
        let bytes = try form(
            stored(request(), [("Cache-Control", "max-age=60"), ("ETag", "\"a\"")]))
        for bit in 0..<bytes.count * 8 {
            var damaged = bytes
            damaged[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(problem(damaged) != nil, "bit \(bit)")
        }
    }

    @Test func `random bytes behind a right checksum never stop the process`() throws {
        var random = SeededRandom(seed: 52)
        var problems: [String: Int] = [:]
        for round in 0..<4000 {
            var bytes = try form(RandomAnswer.make(&random))
            for _ in 0...random.below(4) {
                let from = round % 2 == 0 ? 5 : SharedForm.blocksFrom
                bytes[from + random.below(bytes.count - from)] = UInt8(
                    truncatingIfNeeded: random.next())
            }
            if random.below(8) == 0 { bytes.removeLast(random.below(bytes.count - 16)) }
            if random.below(8) == 0 { bytes += [0, 1, 2] }
            seal(&bytes)
            switch read(bytes) {
            case .answer(let answer): use(answer.stored)
            case .names: problems["names", default: 0] += 1
            case .unusable(let problem): problems["\(problem.name)", default: 0] += 1
            }
        }
        for name in ["version", "lengths", "variant", "head", "tags", "times", "future", "scope"] {
            #expect(problems[name] ?? 0 > 0, "\(name): \(problems)")
        }
    }

    private func seal(_ bytes: inout [UInt8]) {
        let checksum = SharedForm.checksum(of: bytes.span)
        for i in 0..<8 { bytes[8 + i] = UInt8(truncatingIfNeeded: checksum >> UInt64(8 * i)) }
    }

    /// What the proxy does with an answer: nothing of it may trap.
    private func use(_ stored: StoredResponse) {
        var random = SeededRandom(seed: 1)
        _ = stored.freshness(at: start)
        _ = stored.sharedLifetime(at: start)
        _ = stored.use(
            at: start, demands: CacheDirectives(), early: .xfetch(beta: 1), random: &random)
        _ = StrongValidator(of: stored.head)
        _ = Conditions.areNotModified(
            fields([("If-Modified-Since", date(0))]), head: stored.head, now: epoch)
        _ = stored.freshened(
            by: response(304, [("ETag", "\"a\"")]), request: request(), policy: CachePolicy(),
            times: times(9))
        stored.head.tags.forEach { _, tag in _ = tag.count }
        _ = MemoryStore(bytes: 1 << 20, seed: KeyedHasher.Seed(1, 2)).insert(stored)
    }

    @Test func `a head that would break a connection is refused`() {
        let good = stored(request()).head.bytes
        func isHead(_ bytes: [UInt8], _ status: Status = 200, body: Int = 5) -> Bool {
            SharedFields(bytes.span, status: status, bodyCount: body) != nil
        }
        for line in [
            "Transfer-Encoding: chunked", "Content-Length: 9", "Connection: close", "No colon",
            "Name:value", ": x", "Na me: x", "A: \u{1}", "",
        ] {
            #expect(!isHead(good + Array("\(line)\r\n".utf8)), "\(line)")
        }
        #expect(isHead(good))
        #expect(!isHead(good, 404))
        #expect(!isHead(good, body: 6))
        #expect(!isHead([], body: 0))
    }

    // MARK: Names and times in Redis

    @Test func `names are readable, and of variants different`() {
        let space = bytes("weir")
        let key = key(request("/reports?days=30"), user: nil)
        #expect(
            text(SharedKey.name(of: key.span, namespace: space))
                == "weir:c:{GET:example.com:/reports?days=30}")
        #expect(
            text(SharedKey.lease(of: key.span, namespace: space))
                == "weir:c:{GET:example.com:/reports?days=30}:lease")
        var names: Set<String> = []
        for language in ["de", "en", "fr"] {
            let variant = VariantKey(
                response: fields([("Vary", "Accept-Language")]),
                request: fields([("Accept-Language", language)]))
            let name = text(SharedKey.name(of: key.span, variant: variant, namespace: space))
            #expect(name.hasPrefix("weir:c:{GET:example.com:/reports?days=30}~"))
            #expect(name.utf8.count == 58)
            names.insert(name)
        }
        #expect(names.count == 3)
        #expect(
            SharedKey.name(of: key.span, variant: .none, namespace: space)
                == SharedKey.name(of: key.span, namespace: space))
    }

    @Test(
        arguments: [
            ("max-age=60", 60), ("max-age=60, stale-while-revalidate=30", 90),
            ("max-age=60, stale-while-revalidate=30, stale-if-error=300", 360),
            ("max-age=99999999999", 30 * 24 * 3600),
        ] as [(String, UInt64)])
    func `values stay as long as they are of use`(directives: String, seconds: UInt64) {
        let plain = stored(request(), [("Cache-Control", directives)])
        #expect(plain.sharedLifetime(at: at(0)) == .seconds(seconds))
        let tagged = stored(request(), [("Cache-Control", "max-age=60"), ("ETag", "\"a\"")])
        #expect(tagged.sharedLifetime(at: at(0)) == .seconds(120))
        #expect(tagged.sharedLifetime(at: at(50)) == .seconds(70))
        #expect(tagged.sharedLifetime(at: at(61)) == nil)
        let asked = stored(request(), [("Cache-Control", "no-cache"), ("ETag", "\"a\"")])
        #expect(asked.sharedLifetime(at: at(0)) == nil)
    }
}

/// Answers of all kinds.
private enum RandomAnswer {
    static func make(_ random: inout SeededRandom) -> StoredResponse {
        var list = [("Cache-Control", "max-age=\(60 + random.below(100_000)), public")]
        func maybe(_ name: String, _ value: String) {
            if random.below(2) == 0 { list.append((name, value)) }
        }
        maybe("ETag", ["\"a\"", "W/\"b\"", "\"\""][random.below(3)])
        maybe("Last-Modified", date(-Int64(random.below(100_000))))
        maybe("Date", date(-Int64(random.below(60))))
        maybe("Age", "\(random.below(50))")
        maybe("Vary", ["Accept-Language", "Accept, X-Tenant", "accept-encoding"][random.below(3)])
        maybe("Surrogate-Key", "one two three")
        maybe("Cache-Groups", "\"g\"")
        maybe("Accept-Ranges", ["none", "bytes"][random.below(2)])
        maybe("Weir-Cache-Control", "max-age=\(1000 + random.below(1000))")
        maybe("X-Empty", "")
        maybe("X-Long", String(repeating: "x", count: random.below(3000)))
        maybe("X-High", "gr\u{fc}n")
        maybe("Content-Type", "application/json; charset=utf-8")
        let asked = request(
            "/r?\(random.below(99))",
            [("Accept-Language", "de, en"), ("Accept", "a/b"), ("Accept-Encoding", "gzip")])
        var segments: [[UInt8]] = []
        for _ in 0..<random.below(4) {
            segments.append(
                (0..<1 + random.below(5000)).map { _ in UInt8(truncatingIfNeeded: random.next()) })
        }
        let count = segments.reduce(0) { $0 + $1.count }
        let delay = Double(random.below(3000)) / 1000
        let head = CachedHead(
            cachedHead(
                asked,
                response(
                    [200, 203, 301, 404, 410][random.below(5)], list,
                    framing: .length(UInt64(count))),
                user: random.below(2) == 0 ? "u|\(random.below(9))" : nil,
                times: times(Double(random.below(50)), delay: delay)),
            bodyCount: count, finished: at(55))
        return StoredResponse(head: head, body: segments)
    }
}
