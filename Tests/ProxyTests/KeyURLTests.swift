import EventLoop
import HTTPModel
import Identity
import Primitives
import Proxy
import TestKit
import Testing
import Upstreams

/// JWK sets behind URLs are fetched in the background.
@Suite struct KeyURLTests {
    private static let remote = KeyScene.settings([
        .remoteJWKS(url: "https://keys.example/jwks?token=secret")
    ])

    private static func scene(_ world: SimulatedWorld, _ text: String? = "2", maxAge: UInt64? = nil)
        -> KeyScene
    {
        let scene = KeyScene()
        if let text { scene.respond(text, maxAge: maxAge) }
        scene.start(remote, in: world)
        return scene
    }

    @Test func `a set is fetched at once and handed over`() {
        let world = SimulatedWorld(seed: 1)
        let scene = Self.scene(world)
        world.run(for: .seconds(1))
        #expect(scene.fetchSeconds == [0])
        // At first there is no key.
        #expect(scene.handed.value.map(\.tokens) == [0, 2])
        #expect(scene.events.value == [.loaded(source: "https://keys.example/jwks", keys: 2)])
    }

    @Test(
        arguments: [
            (300, 300), (nil, 600), (0, 60), (5, 60), (864_000, 86_400),
        ] as [(UInt64?, Double)])
    func `it is fetched again after its max-age, within bounds`(
        maxAge: UInt64?, seconds: Double
    ) {
        let world = SimulatedWorld(seed: 1)
        let scene = Self.scene(world, maxAge: maxAge)
        // A day has many turns of the loop.
        let count = seconds > 1000 ? 2 : 8
        world.run(atMost: .seconds(UInt64(seconds) * 8)) { scene.fetches.value.count == count }
        #expect(scene.pauses.count == count - 1)
        for pause in scene.pauses {
            #expect(pause >= max(60, seconds * 0.9))
            #expect(pause <= seconds + 0.1)
        }
        // The same answer is no news, and what workers remember stays.
        #expect(scene.handed.value.count == 2)
        #expect(scene.events.value.count == 1)
    }

    @Test func `a failing URL is asked again, ever more rarely, and said once`() {
        let world = SimulatedWorld(seed: 1)
        let scene = Self.scene(world, nil)
        world.run(for: .seconds(3600))
        var base = 1.0
        for pause in scene.pauses {
            #expect(pause >= base && pause <= base * 1.25 + 0.1)
            base = min(60, base * 2)
        }
        #expect((45...70).contains(scene.fetches.value.count))
        #expect(scene.events.value.count == 1)
        guard case .kept(let problem, keys: 0)? = scene.events.value.first else {
            Issue.record("\(scene.events.value)")
            return
        }
        #expect(problem.source == "https://keys.example/jwks")
        #expect(scene.handed.value.map(\.tokens) == [0])
        // Then it answers.
        scene.respond("4")
        world.run(for: .seconds(80))
        #expect(scene.handed.value.map(\.tokens) == [0, 4])
        #expect(scene.events.value.last == .loaded(source: "https://keys.example/jwks", keys: 4))
    }

    @Test(arguments: ["", "garbage", "0"])
    func `the last good set is kept when an answer is not one`(text: String) {
        let world = SimulatedWorld(seed: 1)
        let scene = Self.scene(world, "3", maxAge: 60)
        world.run(for: .seconds(30))
        scene.respond(text)
        world.run(for: .seconds(600))
        #expect(scene.handed.value.map(\.tokens) == [0, 3])
        #expect(scene.events.value.count == 2)
        #expect(scene.health.report.maySucceed)
        #expect(scene.health.report.urls.map(\.state) == [.failing])
        // Well again, and the same: said, but workers keep what they remember.
        scene.respond("3")
        world.run(for: .seconds(120))
        #expect(scene.events.value.count == 3)
        #expect(scene.handed.value.count == 2)
        #expect(scene.health.report.urls.map(\.state) == [.good])
    }

    @Test func `another reason of failing is said, too`() {
        let world = SimulatedWorld(seed: 1)
        let scene = Self.scene(world, nil)
        world.run(for: .seconds(100))
        scene.answer.value = .failure(.unresolved)
        world.run(for: .seconds(300))
        #expect(scene.events.value.count == 2)
    }

    @Test func `a set that shrinks is used as it is`() {
        let world = SimulatedWorld(seed: 1)
        let scene = Self.scene(world, "3", maxAge: 60)
        world.run(for: .seconds(30))
        scene.respond("1", maxAge: 60)
        world.run(for: .seconds(60))
        #expect(scene.handed.value.map(\.tokens) == [0, 3, 1])
    }

    @Test func `what is no URL is an error at the start, without its text`() throws {
        let world = SimulatedWorld(seed: 1)
        let scene = KeyScene()
        let url = "https://user:password@keys.example/"
        let task = scene.start(KeyScene.settings([.remoteJWKS(url: url)]), in: world)
        let failure = try #require(task.failure)
        #expect(failure.contains("identity.jwt.keys"))
        #expect(!failure.contains("password"))
        #expect(scene.fetches.value == [])
    }

    // MARK: Unknown keys

    @Test func `an unknown key causes a fetch, 30 seconds after the last at the earliest`() {
        let world = SimulatedWorld(seed: 1)
        let scene = Self.scene(world)
        world.run(for: .seconds(5))
        scene.respond("3")
        scene.wanted.value = true
        world.run(for: .seconds(24))
        #expect(scene.fetches.value.count == 1)
        world.run(for: .seconds(3))
        #expect(scene.fetches.value.count == 2)
        #expect(scene.handed.value.map(\.tokens) == [0, 2, 3])
        // Long after the last fetch it is done within about a second.
        world.run(for: .seconds(100))
        let before = scene.fetches.value.count
        scene.wanted.value = true
        world.run(for: .milliseconds(1100))
        #expect(scene.fetches.value.count == before + 1)
    }

    @Test(arguments: [true, false])
    func `unknown keys without end cause no flood`(answers: Bool) {
        let world = SimulatedWorld(seed: 1)
        let scene = Self.scene(world, answers ? "2" : nil)
        world.run(for: .seconds(90))
        let before = scene.fetches.value.count
        for _ in 0..<6000 {
            scene.wanted.value = true
            world.run(for: .milliseconds(100))
        }
        // 600 seconds.
        #expect((18...21).contains(scene.fetches.value.count - before))
        for pause in scene.pauses.suffix(15) { #expect(pause >= 30) }
    }

    // MARK: Health

    @Test func `a URL that never answered is visible, and nothing is ready without a key`() throws {
        let world = SimulatedWorld(seed: 1)
        let shared = try SharedState(
            ProxyWorld.settings(""), log: nil, seed: .init(1, 2), now: world.kernel.now())
        let scene = KeyScene(health: shared.keys)
        scene.start(Self.remote, in: world)
        world.run(for: .seconds(5))
        func ready() -> (Int, String) {
            let report = HealthReport(.readiness, of: shared, at: world.now)
            let body = ByteBuffer(capacity: 64)
            report.append(to: body)
            return (Int(report.status.code), body.readable.text)
        }
        #expect(ready().0 == 503)
        #expect(ready().1.contains("\"keys\":\"none\",\"keys.keys.example/jwks\":\"unanswered\""))
        #expect(ready().1.contains("\"status\":\"unhealthy\""))
        #expect(!ready().1.contains("secret"))
        scene.respond("1", maxAge: 60)
        world.run(for: .seconds(10))
        #expect(ready().0 == 200)
        #expect(ready().1.contains("\"keys\":\"ok\",\"keys.keys.example/jwks\":\"ok\""))
        scene.answer.value = .failure(.timedOut)
        world.run(for: .seconds(100))
        #expect(ready().0 == 200)
        #expect(
            ready().1.contains("\"keys\":\"degraded\",\"keys.keys.example/jwks\":\"failing\""))
        #expect(ready().1.contains("\"status\":\"degraded\""))
    }

    @Test func `one key is enough to be ready, and without tokens none is needed`() {
        let world = SimulatedWorld(seed: 1)
        let scene = KeyScene()
        var settings = Self.remote
        settings.jwt?.keys.append(.secret([UInt8](repeating: 7, count: 32)))
        scene.start(settings, in: world)
        world.run(for: .seconds(5))
        #expect(scene.health.report.maySucceed)
        #expect(scene.health.report.urls.map(\.state) == [.unanswered])
        #expect(!KeyHealth(verifiesTokens: true).report.maySucceed)
        #expect(KeyHealth(verifiesTokens: false).report.maySucceed)
    }

    // MARK: Reload

    @Test func `a reload uses on what was fetched, and fetches what is new before it is followed`()
    {
        let world = SimulatedWorld(seed: 1)
        let scene = KeyScene()
        scene.respond("2", maxAge: 600)
        let sizes = Probe<[Int]>([])
        let task = world.task(on: world.makeLoop()) { loop in
            let old = KeyKeeper(Self.remote, world: scene.keyWorld(loop), loop: loop, seed: 1)
            _ = try old.load()
            let health = scene.health
            old.start(health: health, wantsKeys: { false }, adopt: { _ in })
            await loop.sleep(for: .seconds(60))
            scene.respond("3", maxAge: 600)
            var settings = Self.remote
            settings.jwt?.keys.append(.remoteJWKS(url: "https://other.example/"))
            let new = KeyKeeper(
                settings, after: old, world: scene.keyWorld(loop), loop: loop, seed: 1)
            sizes.value.append(try new.load().tokens.count)
            await new.fetchFirst()
            sizes.value.append(new.keys.tokens.count)
            await old.stop()
            new.start(
                health: health, wantsKeys: { false },
                adopt: { keys in sizes.update { $0.append(keys.tokens.count) } })
            await loop.sleep(for: .seconds(400))
            sizes.value.append(scene.fetches.value.count)
            // The old set's time comes, and is the new keeper's.
            await loop.sleep(for: .seconds(150))
            await new.stop()
        }
        world.run(task)
        #expect(task.problem == nil)
        #expect(sizes.value == [2, 5, 2, 6])
        #expect(scene.fetches.value.count == 3)
    }

    @Test func `a URL that does not answer holds a reload up for the time of one fetch`() {
        let world = SimulatedWorld(seed: 1)
        let scene = KeyScene()
        let took = Probe(Nanoseconds.zero)
        let task = world.task(on: world.makeLoop()) { loop in
            var outside = scene.keyWorld(loop)
            outside.fetch = { _, deadline in
                await loop.sleep(for: deadline - loop.now)
                return .failure(.timedOut)
            }
            let keeper = KeyKeeper(Self.remote, world: outside, loop: loop, seed: 1)
            let began = loop.now
            await keeper.fetchFirst()
            took.value = loop.now - began
        }
        world.run(task)
        #expect(task.problem == nil)
        #expect(took.value == .seconds(10))
        #expect(scene.events.value.count == 1)
    }

    // MARK: The end

    @Test func `after stop nothing is fetched, read or handed over`() {
        let world = SimulatedWorld(seed: 1)
        let scene = KeyScene()
        scene.respond("2", maxAge: 60)
        scene.write("a.pem", "1", at: 1)
        var settings = Self.remote
        settings.jwt?.keys.append(.pem(file: "a.pem"))
        let task = scene.start(settings, in: world)
        world.run(for: .seconds(5))
        scene.stop()
        world.run(task)
        world.run(for: .seconds(2))
        let fetches = scene.fetches.value.count
        let handed = scene.handed.value.count
        scene.write("a.pem", "5", at: 2)
        world.run(for: .seconds(3600))
        #expect(scene.fetches.value.count == fetches)
        #expect(scene.handed.value.count == handed)
        #expect(task.problem == nil)
    }

    @Test func `the whole way: an origin in the network, over TLS`() {
        let world = SimulatedWorld(seed: 3, faults: .ragged)
        let certificate = TestCertificate(for: ["DNS:keys.example"])
        world.network.names["keys.example"] = [IPAddress(v4: 0x0A02_0001)]
        let count = Probe(1)
        let origin = world.origin(
            at: .tcp(IPAddress(v4: 0x0A02_0001), port: 443)
        ) { peer in
            let secure = SecurePeer(peer, certificate)
            let head = try await secure.readHead()
            try peer.require(head.hasPrefix("GET /jwks?token=secret HTTP/1.1\r\n"), head)
            let text = "\(count.value)"
            count.update { $0 += 1 }
            try await secure.send(
                "HTTP/1.1 200 OK\r\nCache-Control: max-age=120\r\n"
                    + "Content-Length: \(text.utf8.count)\r\n\r\n\(text)")
        }
        let scene = KeyScene()
        let task = scene.start(Self.remote, in: world) { outside, loop in
            let client = FetchClient(authorities: certificate.certificate)
            outside.fetch = { url, deadline in
                await client.fetch(url, until: deadline, on: loop)
            }
        }
        world.run(for: .seconds(500))
        #expect(scene.handed.value.map(\.tokens).prefix(4) == [0, 1, 2, 3])
        scene.stop()
        world.run(task)
        origin.close()
        world.run(for: .seconds(20))
        #expect(task.problem == nil)
        #expect(world.problems() == [])
        #expect(origin.failures == [])
    }
}
