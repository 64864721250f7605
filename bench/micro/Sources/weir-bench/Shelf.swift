import Caching
import HTTPModel
import Primitives

/// A store, and answers of chosen sizes to put into it: `/things/17` has always the same body.
struct Shelf {
    let store: MemoryStore
    let rules: CacheRules
    private var request = RequestHead()
    private var response = ResponseHead()
    private var key: [UInt8] = []
    private var random = SeededRandom(seed: 5)
    private let host = Array("api.example.com".utf8)
    /// The present; nothing here expires.
    private let clock = ClockReading(
        monotonic: MonotonicTime(nanoseconds: 3_600_000_000_000),
        wall: WallTime(nanoseconds: 1_790_812_800_000_000_000))

    init(bytes: Int) {
        store = MemoryStore(bytes: bytes, seed: .random())
        var policy = CachePolicy(ttl: .seconds(86_400))
        policy.earlyRefresh = .off
        rules = CacheRules(policy)
        response.status = 200
        for (name, value) in [
            ("Content-Type", "application/json"), ("Date", "Thu, 01 Oct 2026 00:00:00 GMT"),
            ("ETag", "\"5f3a-1c\""),
        ] {
            let (name, value) = (Array(name.utf8), Array(value.utf8))
            response.fields.append(name: name.span, value: value.span)
        }
    }

    /// Makes `number` the thing that is asked for.
    @inline(__always)
    private mutating func ask(for number: UInt64) {
        var fields = FieldList()
        var target = Array("/things/".utf8)
        target.append(contentsOf: String(number).utf8)
        request.method = .get
        request.authority = fields.appendBytes(host.span)
        request.target = fields.appendBytes(target.span)
        request.path = request.target
        request.fields = fields
        _ = CacheKey.build(
            into: &key, request: request, rules: rules, user: nil, company: nil, tier: nil)
    }

    /// Whether `number` is stored; a hit counts as a use, as a client's does.
    mutating func has(_ number: UInt64) -> Bool {
        ask(for: number)
        let key = key
        return store.lookup(key: key.span, request: request) != nil
    }

    /// Puts `number` in, with a body of `size` bytes.
    ///
    /// - Returns: What it costs of the budget.
    @discardableResult
    mutating func put(_ number: UInt64, size: Int) -> Int {
        ask(for: number)
        response.framing = .length(UInt64(size))
        let times = FetchTimes(requested: clock.monotonic, received: clock)
        let decision = StoreDecision.decide(
            request: request, response: response, policy: rules.policy, times: times)
        guard case .store(let lifetime) = decision else { Report.fail("it is not stored") }
        // A block of its own, as a fetch has one.
        let kept = key.span.copied
        let head = CachedHead(
            key: kept, request: request, response: response, lifetime: lifetime, times: times)
        let stored = StoredResponse(
            head: head, body: size == 0 ? [] : [[UInt8](repeating: 0x78, count: size)])
        store.insert(stored)
        return stored.byteCost
    }

    /// Looks `numbers` up as requests do, one after the other; all must be there.
    mutating func hit(_ requests: [Prepared], _ count: Int) {
        var next = 0
        for _ in 0..<count {
            let one = requests[next]
            next = next + 1 == requests.count ? 0 : next + 1
            let found = store.lookupOrJoin(
                key: one.key.span, request: one.request, rules: rules, now: clock.monotonic,
                random: &random)
            guard case .hit = found else { Report.fail("a stored answer was not found") }
        }
    }

    /// A request whose key is built.
    struct Prepared {
        let request: RequestHead
        let key: [UInt8]
    }

    mutating func prepared(_ number: UInt64) -> Prepared {
        ask(for: number)
        return Prepared(request: request, key: key)
    }
}
