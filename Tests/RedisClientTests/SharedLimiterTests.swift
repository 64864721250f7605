import EventLoop
import Primitives
import RedisClient
import Settings
import TestKit
import Testing

@testable import Limits

/// When questions about strict limits leave, in virtual time.
@Suite struct SharedLimiterTests {
    @Test func `questions gather while two calls are on their way`() {
        let sizes = Probe<[Int]>([])
        ScriptedServer.run { peer in
            try await peer.welcome()
            try await peer.nextDecisions(of: sizes)
            try await peer.nextDecisions(of: sizes)
            // Meanwhile three more are asked, each in a turn of its own.
            await peer.sleep(.milliseconds(10))
            try await peer.answer(1)
            try await peer.nextDecisions(of: sizes)
            try await peer.answer(1)
            try await peer.answer(3)
            try await peer.expectGone()
        } with: { client in
            let asking = Asking(client)
            for _ in 0..<5 {
                asking.begin()
                await client.loop.sleep(for: .milliseconds(1))
            }
            #expect(await asking.answers() == [true, true, true, true, true])
        }
        #expect(sizes.value == [1, 1, 3])
    }

    @Test func `a call with many questions does not wait for others`() {
        let sizes = Probe<[Int]>([])
        ScriptedServer.run { peer in
            try await peer.welcome()
            for _ in 0..<4 { try await peer.nextDecisions(of: sizes) }
            for size in sizes.value { try await peer.answer(size) }
            try await peer.expectGone()
        } with: { client in
            let asking = Asking(client)
            for count in [1, 1, 10, 5, 1, 16] {
                for _ in 0..<count { asking.begin() }
                await client.loop.sleep(for: .milliseconds(1))
            }
            #expect(await asking.answers() == Array(repeating: true, count: 34))
        }
        #expect(sizes.value == [1, 1, 16, 16])
    }

    @Test func `who waits for calls without an answer waits for one deadline from asking`() {
        let sizes = Probe<[Int]>([])
        ScriptedServer.run { peer in
            try await peer.welcome()
            try await peer.nextDecisions(of: sizes)
            try await peer.nextDecisions(of: sizes)
            try await peer.expectGone()
        } with: { client in
            let start = client.loop.now
            let asking = Asking(client)
            for _ in 0..<4 {
                asking.begin()
                await client.loop.sleep(for: .milliseconds(10))
            }
            #expect(await asking.answers() == [false, false, false, false])
            #expect(client.loop.now - start <= .milliseconds(30) + client.settings.timeout)
        }
        #expect(sizes.value == [1, 1])
    }
}

/// Questions about one limit, each by a task of its own.
private final class Asking: @unchecked Sendable {
    // Sendable: its loop's thread alone uses it.
    private static let key: [UInt8] = [107]
    private let limiter: SharedLimiter
    private let loop: EventLoop
    private var ended: [Bool] = []
    private var begun = 0
    private let wakes: Waiter

    init(_ client: RedisClient) {
        limiter = SharedLimiter(client)
        loop = client.loop
        wakes = Waiter(loop)
    }

    func begin() {
        begun += 1
        loop.start { [self] in
            let answer = await limiter.ask(slot: 0) { batch in
                let place = batch.beginDecision(1, shadows: 0, isPeek: false)
                let digest = Digest128(high: 0, low: 1)
                let key = batch.place(of: digest) ?? batch.add(Self.key.span, digest)
                let rate = SharedLimitRate(kind: .fixed, quota: 1000, step: 1000, span: 0)
                batch.addLimit(key: key, rate, units: 1)
                return place
            }
            ended.append(answer != nil)
            wakes.wake()
        }
    }

    /// Whether each got an answer, when all have ended.
    func answers() async -> [Bool] {
        while ended.count < begun { _ = await wakes.wait(until: .never) }
        return ended
    }
}

extension SimulatedPeer {
    /// Reads a call of the script and notes how many decisions it carries.
    fileprivate func nextDecisions(of sizes: Probe<[Int]>) async throws {
        let words = try await nextWords() ?? []
        try require(words.first == Array("EVALSHA".utf8) && words.count == 5, "\(words)")
        let argument = words[4]
        let integers = PackedIntegers.Reader(argument.span)?.count ?? 0
        // How many rates, one of 5 numbers, and 5 numbers for a decision about one limit.
        sizes.value.append((integers - 6) / 5)
    }

    /// Answers a call of `count` decisions.
    fileprivate func answer(_ count: Int) async throws {
        var bytes: [UInt8] = []
        PackedIntegers.appendHeader(1 + 3 * count, to: &bytes)
        for _ in 0..<1 + 3 * count { PackedIntegers.append(1, to: &bytes) }
        try await send("$\(bytes.count)\r\n")
        try await send(bytes: bytes)
        try await send("\r\n")
    }
}
