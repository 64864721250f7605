import Caching
import Glibc
import HTTP1
import HTTPModel
import Identity
import Limits
import Primitives
import Routes

/// What each stage of a request costs by itself: a head of a dozen fields, a hundred routes, one limit, a thousand
/// stored answers.
///
/// `WEIR_BENCH_PIECES` says how often each is done in one round, for runs under callgrind.
func measureStages(_ rounds: Rounds) {
    let pieces = getenv("WEIR_BENCH_PIECES").flatMap { Int(String(cString: $0)) } ?? 100_000
    var stages = Stages()
    let work: [(name: String, run: (inout Stages) -> Void)] = [
        ("parse a request", { $0.parseRequest() }),
        ("parse a response", { $0.parseResponse() }),
        ("route, 100 routes", { $0.route() }),
        ("identify, by address", { $0.identify() }),
        ("decide, token bucket", { $0.decide() }),
        ("look up, a hit among 1,000", { $0.lookUp() }),
        ("serialise a stored head", { $0.serialise() }),
        ("fields of a limit", { $0.appendLimitFields() }),
    ]
    for one in work where rounds.wants("stage, \(one.name)") {
        rounds.say("stage, \(one.name)", pieces: pieces) {
            for _ in 0..<pieces { one.run(&stages) }
        }
    }
}

/// One request's way through the stages, each over what the one before it made.
private struct Stages: ~Copyable {
    private static let request = Array(
        """
        GET /api/things/17?page=3&sort=name HTTP/1.1\r\nHost: api.example.com\r\nUser-Agent: Mozilla/5.0 (X11; Linux \
        x86_64) Gecko/20100101 Firefox/140.0\r\nAccept: application/json, text/plain, */*\r\nAccept-Language: \
        en-GB,en;q=0.8\r\nAccept-Encoding: gzip, deflate, br\r\nReferer: https://www.example.com/things\r\n\
        X-Request-ID: 5f3a1c7e9b204d6a\r\nOrigin: https://www.example.com\r\nCookie: theme=dark; lang=en\r\n\
        Connection: keep-alive\r\nCache-Control: max-age=0\r\n\r\n
        """.utf8)
    private static let response = Array(
        """
        HTTP/1.1 200 OK\r\nDate: Thu, 01 Oct 2026 00:00:00 GMT\r\nServer: gunicorn\r\nContent-Type: \
        application/json; charset=utf-8\r\nContent-Length: 1024\r\nETag: "5f3a-1c"\r\nCache-Control: max-age=60\r\n\
        Vary: Accept-Encoding\r\nX-Frame-Options: DENY\r\nReferrer-Policy: same-origin\r\n\r\n
        """.utf8)

    private var requestParser = RequestParser(
        bounds: HeadBounds(headerBytes: 16 << 10, fields: 100, targetBytes: 8 << 10))
    private var responseParser = ResponseParser(
        bounds: HeadBounds(headerBytes: 64 << 10, fields: 256, targetBytes: 1))
    private var request = RequestHead()
    private var response = ResponseHead()
    private let table = RouteTable(
        (0..<99).map { RouteDefinition(name: "r\($0)", path: "/service\($0)/**") }
            + [RouteDefinition(name: "things", path: "/api/things/*")])
    private let resolver = IdentityResolver(IdentitySettings())
    private let credentials = Credentials(
        IdentitySettings(), claims: [], keys: CredentialKeys())
    private var identity = ResolvedIdentity()
    private let peer = IPAddress(v4: 0xCB00_7109)
    private let clock = ClockReading(
        monotonic: MonotonicTime(nanoseconds: 3_600_000_000_000),
        wall: WallTime(nanoseconds: 1_790_812_800_000_000_000))
    private let limits = LimitPolicy(
        limits: [
            LimitDefinition(
                name: "api", rate: .init(count: 1_000_000_000, period: .seconds(1)),
                algorithm: .tokenBucket(burst: 1_000_000_000))
        ], endpoint: "/api/things/*")
    private let limitTable = LimitTable(keys: 1000, seed: .random())
    private let dimensions = LimitDimensions()
    private let decision = LimitDecision()
    private let fields = RateLimitFields([.xRateLimit, .ietfDraft11])
    private var shelf = Shelf(bytes: 64 << 20)
    private var asked: [Shelf.Prepared] = []
    private var stored: CachedHead
    private let output = ByteBuffer(capacity: 4096)

    init() {
        for number in 0..<1000 as Range<UInt64> { shelf.put(number, size: 1024) }
        asked = [shelf.prepared(17)]
        _ = try? requestParser.parse(Stages.request.span, into: &request)
        var whole = ResponseHead()
        let parsed = try? responseParser.parse(Stages.response.span, for: .get, into: &whole)
        let times = FetchTimes(requested: clock.monotonic, received: clock)
        let verdict = StoreDecision.decide(
            request: request, response: whole, policy: CachePolicy(), times: times)
        guard parsed == Stages.response.count, case .store(let lifetime) = verdict else {
            Report.fail("the answer may not be stored: \(verdict)")
        }
        stored = CachedHead(
            key: Array("key".utf8), request: request, response: whole, lifetime: lifetime,
            times: times)
        decide()
    }

    mutating func parseRequest() {
        guard let n = try? requestParser.parse(Stages.request.span, into: &request),
            n == Stages.request.count
        else { Report.fail("the request was not understood") }
    }

    mutating func parseResponse() {
        guard
            let n = try? responseParser.parse(Stages.response.span, for: .get, into: &response),
            n == Stages.response.count
        else { Report.fail("the response was not understood") }
    }

    func route() {
        guard table.match(request) == 99 else { Report.fail("another route") }
    }

    mutating func identify() {
        resolver.resolve(
            peer: peer, request: request, credentials: credentials, at: clock.wall, into: &identity)
        guard identity.address == peer else { Report.fail("somebody else") }
    }

    func decide() {
        let subject = LimitSubject(
            address: peer, counted: peer, method: .get, user: nil, company: nil, tier: nil)
        limits.decide(subject, dimensions: dimensions, in: limitTable, at: clock, into: decision)
        guard decision.isAdmitted else { Report.fail("refused") }
    }

    mutating func lookUp() { shelf.hit(asked, 1) }

    func serialise() {
        output.removeAll()
        stored.append(to: output)
        guard output.count > 100 else { Report.fail("no head") }
    }

    func appendLimitFields() {
        output.removeAll()
        fields.append(
            for: decision, of: limits, at: clock, jitter: 0, omitting: [], to: output)
        guard output.count > 100 else { Report.fail("no fields") }
    }
}
