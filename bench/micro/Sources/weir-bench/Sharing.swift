import Caching
import HTTPModel
import Primitives

/// What it costs to write a stored answer for Redis, and to read it again.
func measureSharing(_ rounds: Rounds) {
    for (name, size, pieces) in [("1 KB", 1 << 10, 20_000), ("100 KB", 100 << 10, 1000)] {
        let clock = ClockReading(
            monotonic: MonotonicTime(nanoseconds: 1_000_000_000),
            wall: WallTime(nanoseconds: 1_790_812_800_000_000_000))
        let stored = answer(of: size, at: clock)
        guard let form = SharedForm.write(stored, at: clock, scope: 1, position: 1) else {
            Report.fail("the answer cannot be written")
        }
        var count = 0
        if rounds.wants("sharing, \(name), write") {
            rounds.say("sharing, \(name), write", allocations: 1, pieces: pieces) {
                for _ in 0..<pieces {
                    count += SharedForm.write(stored, at: clock, scope: 1, position: 1)?.count ?? 0
                }
            }
        }
        if rounds.wants("sharing, \(name), read") {
            rounds.say("sharing, \(name), read", allocations: 16, pieces: pieces) {
                for _ in 0..<pieces {
                    if case .answer = SharedForm.read(form.span, at: clock, scope: 1) { count += 1 }
                }
            }
        }
        Report.say("sharing, \(name): form", Double(form.count), unit: "bytes")
        guard count > 0 || !rounds.wants("sharing, \(name)") else {
            Report.fail("nothing was shared")
        }
    }
}

private func answer(of size: Int, at clock: ClockReading) -> StoredResponse {
    var request = RequestHead()
    request.method = .get
    request.authority = request.fields.appendBytes(Array("api.example.com".utf8).span)
    var response = ResponseHead()
    response.framing = .length(UInt64(size))
    response.fields.append(.cacheControl, "max-age=60")
    response.fields.append(.contentType, "application/json")
    response.fields.append(.etag, "\"5f2a-18c\"")
    let times = FetchTimes(requested: clock.monotonic, received: clock)
    guard
        case .store(let lifetime) = StoreDecision.decide(
            request: request, response: response, policy: CachePolicy(), times: times)
    else { Report.fail("the answer may not be stored") }
    let head = CachedHead(
        key: Array("{GET}:api.example.com:/reports?days=30".utf8), request: request,
        response: response, lifetime: lifetime, times: times)
    return StoredResponse(head: head, body: [[UInt8](repeating: 120, count: size)])
}
