import EventLoop
import Identity
import Primitives
import Proxy
import TestKit
import Upstreams

/// A key keeper in a simulated world, with files and answers that a test changes as time passes.
///
/// What a file or an answer says is a number: so many keys are in it. Anything else is malformed.
final class KeyScene: Sendable {
    struct File: Sendable {
        var text: String
        var stamp: FileStamp
        /// The error number with which reading fails.
        var failure: Int32?
    }

    /// A set as it was handed over.
    struct Handed: Sendable, Equatable {
        var tokens: Int
        var apiKeys: Int
    }

    let files = Probe<[String: File]>([:])
    let answer = Probe<Result<FetchedBody, FetchError>>(.failure(.timedOut))
    /// When fetches began.
    let fetches = Probe<[MonotonicTime]>([])
    let handed = Probe<[Handed]>([])
    let events = Probe<[KeyEvent]>([])
    let wanted = Probe(false)
    /// How long handing over takes.
    let handingTakes = Probe(Nanoseconds.zero)
    let reads = Probe(0)
    let health: KeyHealth
    private let began = Probe(MonotonicTime(nanoseconds: 0))
    private let mustStop = Probe(false)

    init(health: KeyHealth = KeyHealth(verifiesTokens: true)) { self.health = health }

    /// Writes a file; another `inode` replaces it.
    func write(_ path: String, _ text: String, at second: Int64, inode: UInt64 = 1) {
        files.update {
            $0[path] = File(
                text: text,
                stamp: FileStamp(
                    modified: second * 1_000_000_000, size: Int64(text.utf8.count), inode: inode))
        }
    }

    /// Answers fetches from now on with `text`.
    func respond(_ text: String, maxAge: UInt64? = nil) {
        let body = FetchedBody(
            bytes: Array(text.utf8), maxAge: maxAge.map { Nanoseconds.seconds($0) })
        answer.value = .success(body)
    }

    /// When fetches began, in seconds since the start.
    var fetchSeconds: [Double] {
        fetches.value.map { Double(($0 - began.value).count) / 1e9 }
    }

    /// The times between fetches, in seconds.
    var pauses: [Double] { zip(fetchSeconds.dropFirst(), fetchSeconds).map { $0 - $1 } }

    static func settings(_ keys: [JWTSettings.KeySource], apiKeys: String? = nil)
        -> IdentitySettings
    {
        var settings = IdentitySettings()
        if !keys.isEmpty { settings.jwt = JWTSettings(keys: keys, algorithms: [.RS256]) }
        settings.apiKeys = apiKeys.map { APIKeySettings(header: "x-api-key", file: $0) }
        return settings
    }

    /// What a keeper sees of this scene.
    func keyWorld(_ loop: EventLoop) -> KeyWorld {
        var world = KeyWorld(
            loop: loop,
            parseAPIKeys: { bytes, path in
                guard let count = Self.number(bytes) else {
                    return .failure(KeyProblem(source: path, reason: "line 1: no number"))
                }
                return .success(
                    (0..<count).map {
                        let digest = [UInt8](repeating: UInt8($0), count: 32)
                        return APIKeyEntry(digest: digest, user: "u", company: nil, tier: nil)
                    })
            }, note: { [self] event in events.update { $0.append(event) } })
        world.stamp = { [self] path throws(HostError) in
            guard let file = files.value[path] else { throw HostError(number: 2) }
            return file.stamp
        }
        world.read = { [self] path, limit throws(HostError) in
            reads.update { $0 += 1 }
            guard let file = files.value[path] else { throw HostError(number: 2) }
            if let number = file.failure { throw HostError(number: number) }
            return Array(file.text.utf8.prefix(limit))
        }
        world.parsePEM = Self.parse
        world.parseJWKS = Self.parse
        world.fetch = { [self] _, _ in
            fetches.update { $0.append(loop.now) }
            await loop.sleep(for: .milliseconds(10))
            return answer.value
        }
        return world
    }

    private static func parse(_ bytes: [UInt8]) throws(TokenKeyError) -> [TokenKey] {
        guard let count = number(bytes) else { throw .malformed }
        guard count > 0 else { throw .noKey }
        let secret = [UInt8](repeating: 1, count: 64)
        return (0..<count).map { _ in TokenKey.secret(secret) }
    }

    private static func number(_ bytes: [UInt8]) -> Int? {
        bytes.span.decimalValue.map { Int($0) }
    }

    /// Loads and starts a keeper on a loop of its own; the task ends when it was stopped.
    @discardableResult
    func start(
        _ settings: IdentitySettings, in world: SimulatedWorld,
        _ change: @escaping @Sendable (inout KeyWorld, EventLoop) -> Void = { _, _ in }
    ) -> PeerTask {
        let task = world.task(on: world.makeLoop()) { [self] loop in
            began.value = loop.now
            var outside = keyWorld(loop)
            change(&outside, loop)
            let keeper = KeyKeeper(settings, world: outside, loop: loop, seed: 7)
            handOver(try keeper.load())
            keeper.start(
                health: health,
                wantsKeys: { [self] in
                    defer { wanted.value = false }
                    return wanted.value
                },
                adopt: { [self] keys in
                    let pause = handingTakes.value
                    if pause > .zero { await loop.sleep(for: pause) }
                    handOver(keys)
                })
            while !mustStop.value { await loop.sleep(for: .seconds(10)) }
            await keeper.stop()
        }
        world.run(for: .milliseconds(1))
        return task
    }

    func stop() { mustStop.value = true }

    private func handOver(_ keys: CredentialKeys) {
        let set = Handed(tokens: keys.tokens.count, apiKeys: keys.apiKeys.count)
        handed.update { $0.append(set) }
    }
}
