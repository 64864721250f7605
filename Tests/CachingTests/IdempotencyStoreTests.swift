import Caching
import HTTPModel
import Primitives
import Testing

/// What is remembered of Idempotency-Keys.
@Suite struct IdempotencyStoreTests {
    private let store = IdempotencyStore(bytes: 1 << 20)
    private let one = ContentDigest((1, 0, 0, 0))
    private let two = ContentDigest((2, 0, 0, 0))

    private func answer(_ size: Int) -> StoredResponse {
        let head = CachedHead(
            passing: response(201, [("Set-Cookie", "a=b")], framing: .length(UInt64(size))),
            times: times())
        return StoredResponse(
            passed: head, body: [[UInt8](repeating: 120, count: size)], finished: at(1))
    }

    private func claim(
        _ key: String, _ fingerprint: ContentDigest? = nil, at seconds: Double = 0
    ) -> String {
        name(store.claim(key: bytes(key), fingerprint: fingerprint ?? one, at: at(seconds)))
    }

    private func name(_ claim: IdempotencyStore.Claim) -> String {
        switch claim {
        case .first: "first"
        case .replay(let answer): "replay \(answer.bodyCount)"
        case .running: "running"
        case .mismatch: "mismatch"
        case .notKept: "notKept"
        case .full: "full"
        }
    }

    private func first(_ key: String, at seconds: Double = 0) throws -> IdempotencyStore.Ticket {
        guard
            case .first(let ticket) = store.claim(
                key: bytes(key), fingerprint: one, at: at(seconds))
        else { throw NotFirst() }
        return ticket
    }

    private struct NotFirst: Error {}

    @Test func `one runs, the others wait, and all get its answer until it expires`() throws {
        let ticket = try first("k")
        #expect(claim("k") == "running")
        #expect(claim("k", two) == "mismatch")
        #expect(claim("other") == "first")
        store.finish(ticket, with: answer(5), expires: at(10))
        #expect(claim("k", at: 9.9) == "replay 5")
        #expect(claim("k", two, at: 9.9) == "mismatch")
        #expect(claim("k", two, at: 10) == "first")
    }

    @Test func `what got no answer is forgotten, and a late word of it changes nothing`() throws {
        let ticket = try first("k")
        store.abandon(ticket)
        let second = try first("k")
        store.abandon(ticket)
        store.finish(ticket, with: answer(1), expires: at(10))
        #expect(claim("k") == "running")
        store.finish(second, with: nil, expires: at(10))
        #expect(claim("k", at: 1) == "notKept")
        #expect(claim("k", at: 11) == "first")
        #expect(store.answersNotKept == 1)
    }

    @Test func `a full store refuses new keys and keeps its promises`() throws {
        var kept: [String] = []
        while true {
            let key = "key-\(kept.count)"
            guard
                case .first(let ticket) = store.claim(
                    key: bytes(key), fingerprint: one, at: at(0))
            else { break }
            store.finish(ticket, with: answer(10_000), expires: at(Double(100 + kept.count)))
            kept.append(key)
        }
        #expect(kept.count > 80 && kept.count < 105)
        #expect(store.bytes <= 1 << 20)
        #expect(claim("late") == "full")
        for key in kept { #expect(claim(key, at: 99) == "replay 10000") }
        // Room comes back with time, whatever shard it lies in.
        #expect(claim("late", at: 101) == "first")
    }

    @Test func `an answer that finds no room is told as not kept`() throws {
        let ticket = try first("k")
        store.finish(ticket, with: answer(2 << 20), expires: at(10))
        #expect(claim("k") == "notKept")
        #expect(store.bytes < 1000)
    }

    @Test func `keys leave in the order of their times, and nothing is left of them`() throws {
        var random = SeededRandom(seed: 7)
        var expiry: [String: Double] = [:]
        for index in 0..<500 {
            let key = "k\(index)"
            let time = Double(random.below(1000)) + 1
            expiry[key] = time
            store.finish(try first(key), with: answer(1), expires: at(time))
        }
        for now in stride(from: 0.5, to: 1002, by: 100) {
            for (key, time) in expiry where time > now {
                #expect(claim(key, at: now) == "replay 1")
            }
            for (key, time) in expiry where time <= now {
                store.abandon(try first(key, at: now))
                expiry[key] = nil
            }
        }
        #expect(store.keyCount == 0 && store.bytes == 0)
    }
}
