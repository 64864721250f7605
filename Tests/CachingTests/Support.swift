import Caching
import HTTPModel
import Primitives
import Testing

/// One row of a table of an RFC's rules; the id is also in the source's comments.
struct Case: Sendable, CustomTestStringConvertible {
    let id: String
    let request: [(String, String)]
    let response: [(String, String)]
    let expected: String

    init(
        _ id: String, request: [(String, String)] = [], response: [(String, String)] = [],
        _ expected: String
    ) {
        self.id = id
        self.request = request
        self.response = response
        self.expected = expected
    }

    var testDescription: String { id }
}

/// 2026-10-01T00:00:00Z
let epoch: UInt64 = 1_790_812_800
/// The monotonic reading at `epoch`.
let start = MonotonicTime(nanoseconds: 1_000_000_000_000)

func at(_ seconds: Double) -> MonotonicTime {
    start + Nanoseconds(UInt64(seconds * 1e9))
}

func clock(_ seconds: Double = 0) -> ClockReading {
    ClockReading(
        monotonic: at(seconds),
        wall: WallTime(nanoseconds: epoch * 1_000_000_000 + UInt64(seconds * 1e9)))
}

/// Asked for and received at the same moment, or `delay` seconds later.
func times(_ seconds: Double = 0, delay: Double = 0) -> FetchTimes {
    FetchTimes(requested: at(seconds), received: clock(seconds + delay))
}

/// The date `offset` seconds from `epoch`.
func date(_ offset: Int64) -> String {
    var bytes: [UInt8] = []
    HTTPDate.append(UInt64(Int64(epoch) + offset), to: &bytes)
    return text(bytes)
}

func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

func written(_ body: (ByteBuffer) -> Void) -> String {
    let buffer = ByteBuffer(capacity: 64)
    body(buffer)
    return buffer.readable.text
}

func fields(_ list: [(String, String)]) -> FieldList {
    var fields = FieldList()
    for (name, value) in list { fields.append(name: bytes(name).span, value: bytes(value).span) }
    return fields
}

func request(
    _ target: String = "/", method: Method = .get, host: String = "example.com",
    _ list: [(String, String)] = []
) -> RequestHead {
    var head = RequestHead()
    head.method = method
    head.fields = fields(list)
    let path = target.prefix { $0 != "?" }
    head.authority = head.fields.appendBytes(bytes(host).span)
    head.target = head.fields.appendBytes(bytes(target).span)
    head.path = ByteRange(start: Int(head.target.start), count: path.utf8.count)
    if path.utf8.count < target.utf8.count {
        head.query = ByteRange(
            start: head.path.end + 1, count: target.utf8.count - path.utf8.count - 1)
    }
    return head
}

func response(
    _ status: Status = 200, _ list: [(String, String)] = [], framing: BodyFraming = .chunked
) -> ResponseHead {
    var head = ResponseHead()
    head.status = status
    head.framing = framing
    head.fields = fields(list)
    return head
}

func key(
    _ request: RequestHead, _ policy: CachePolicy = CachePolicy(), user: String? = nil
) -> [UInt8] {
    var key: [UInt8] = []
    let rules = CacheRules(policy)
    let name = user.map(bytes) ?? []
    _ = CacheKey.build(
        into: &key, request: request, rules: rules, user: user == nil ? nil : name.span,
        company: nil, tier: nil)
    return key
}

/// A head as the proxy makes it; requires that the answer may be stored.
func cachedHead(
    _ request: RequestHead, _ response: ResponseHead, policy: CachePolicy = CachePolicy(),
    user: String? = nil, times: FetchTimes = times()
) -> CachedHead {
    let decision = StoreDecision.decide(
        request: request, response: response, policy: policy, times: times)
    guard case .store(let lifetime) = decision else {
        return CachedHead(passing: response, times: times)
    }
    return CachedHead(
        key: key(request, policy, user: user), request: request, response: response,
        lifetime: lifetime, times: times, policy: policy, tags: CacheTags(of: response.fields))
}

func stored(
    _ request: RequestHead, _ list: [(String, String)] = [("Cache-Control", "max-age=60")],
    body: String = "hello", policy: CachePolicy = CachePolicy(), user: String? = nil,
    times: FetchTimes = times()
) -> StoredResponse {
    let head = cachedHead(
        request, response(200, list, framing: .length(UInt64(body.utf8.count))), policy: policy,
        user: user, times: times)
    return StoredResponse(head: head, body: body.isEmpty ? [] : [bytes(body)])
}

func body(_ stored: StoredResponse) -> String { text(Array(stored.body.joined())) }

/// What the store has for a request, without a decision.
func find(_ store: MemoryStore, _ request: RequestHead, policy: CachePolicy = CachePolicy())
    -> StoredResponse?
{
    let key = key(request, policy)
    return store.lookup(key: key.span, request: request)
}

func remove(_ store: MemoryStore, _ request: RequestHead) {
    let key = key(request)
    store.remove(key: key.span)
}
