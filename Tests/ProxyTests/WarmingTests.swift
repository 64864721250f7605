import EventLoop
import Primitives
import Proxy
import Settings
import TestKit
import Testing

/// Answers that are fetched before anybody asks for them.
@Suite struct WarmingTests {
    private static let urls = """
        cache:
          ttl: 1h
          warm: {host: api.example.com, urls: [/a, "/b?c=d", {url: /de, headers: {Accept-Language: de}}]}

        """

    @Test func `the URLs are fetched at the start, and their first client has a hit`() throws {
        let scene = try WarmScene(Self.urls)
        scene.origin { target, _ in ok("of \(target)", "Vary: Accept-Language") }
        scene.runWarmer(for: .seconds(1))
        #expect(scene.targets == ["/a", "/b?c=d", "/de"])
        #expect(scene.asked.value.allSatisfy { $0["Host"] == "api.example.com" })
        #expect(scene.asked.value.contains { $0["Accept-Language"] == "de" })
        scene.world.client { peer in
            for request in [
                get("/a"), get("/b?c=d"), get("/de", "Accept-Language: de"),
            ] {
                let answer = try await peer.ask(request)
                try peer.require(
                    answer["Cache-Status"]?.hasPrefix("weir; hit") == true,
                    answer["Cache-Status"] ?? "-")
            }
        }
        #expect(scene.world.problems() == [])
        #expect(scene.asked.value.count == 3)
        #expect(scene.status.counts(.start).done == 3)
    }

    @Test func `warming is neither limited nor counted nor logged as a client's request`() throws {
        let scene = try WarmScene("limits: [1/hour per global]\n" + Self.urls)
        scene.origin { target, _ in ok(target) }
        scene.runWarmer(for: .seconds(1))
        #expect(scene.targets.count == 3)
        #expect(scene.world.metric("weir_cache_requests_total{outcome=\"miss\"}") == 0)
        #expect(!scene.world.metrics().contains("weir_requests_total{"))
        #expect(
            scene.world.metric(
                "weir_jobs_total{kind=\"start\",priority=\"normal\",outcome=\"done\"}") == 3)
        scene.world.client { peer in
            let answer = try await peer.ask(get("/a"))
            try peer.require(answer.status == 200, answer.startLine)
            try peer.require(answer["X-RateLimit-Remaining"] == "0", "another one was counted")
        }
        #expect(scene.world.problems() == [])
        #expect(scene.world.log.count == 1)
    }

    @Test func `no more are fetched at once than may`() throws {
        let pages = (0..<20).map { "/\($0)" }.joined(separator: ", ")
        let scene = try WarmScene(
            "cache: {ttl: 1h, warm: {host: a, concurrency: 3, urls: [\(pages)]}}")
        scene.origin { target, _ in ok(target) }
        scene.runWarmer(for: .seconds(5))
        #expect(scene.asked.value.count == 20)
        #expect(scene.open.value.most == 3)
        #expect(scene.world.problems() == [])
    }

    @Test func `a failing origin is asked again, each time later, until it is well`() throws {
        let scene = try WarmScene("cache: {ttl: 1h, warm: {host: a, urls: [/a, /b]}}")
        scene.origin { target, count in
            target == "/a" && count < 4 ? ok("", status: "503 Service Unavailable") : ok(target)
        }
        scene.runWarmer(for: .seconds(60))
        #expect(scene.asked.value.filter { $0.target == "/a" }.count == 4)
        let counts = scene.status.counts(.start)
        #expect(counts.done == 2 && counts.failed == 3 && counts.retried == 3)
        #expect(scene.status.dead.isEmpty && scene.status.waiting == 0)
        #expect(scene.world.problems() == [])
    }

    @Test func `what fails too often is a dead letter, until it is tried again by hand`() throws {
        let scene = try WarmScene("cache: {ttl: 1h, warm: {host: a, urls: [/a]}}")
        scene.origin { target, count in
            count <= 5 ? ok("", status: "502 Bad Gateway") : ok(target)
        }
        scene.runWarmer(for: .seconds(120))
        let letter = try #require(scene.status.dead.first)
        #expect(letter.reason.text == "status 502" && letter.job.attempts == 5)
        #expect(scene.asked.value.count == 5)
        #expect(scene.world.server.shared.background.retry(letter.job.id))
        scene.world.world.run(for: .seconds(1))
        #expect(scene.asked.value.count == 6)
        #expect(scene.status.counts(.start, .critical).done == 1)
        #expect(scene.status.dead.isEmpty)
        #expect(scene.world.problems() == [])
    }

    @Test func `an origin that is away is tried again too`() throws {
        let scene = try WarmScene("cache: {ttl: 1h, warm: {host: a, urls: [/a]}}")
        scene.runWarmer(for: .seconds(120))
        #expect(scene.status.dead.count == 1)
        #expect(scene.status.dead.first?.job.attempts == 5)
        #expect(scene.world.problems() == [])
    }

    @Test(arguments: [
        ("Cache-Control: no-store", "200 OK", "no-store"),
        ("Set-Cookie: a=b", "200 OK", "set-cookie"),
        ("X: y", "404 Not Found", "status 404"),
    ])
    func `an answer that may not be stored is a dead letter at once`(
        field: String, status: String, reason: String
    ) throws {
        let scene = try WarmScene("cache: {ttl: 1h, warm: {host: a, urls: [/a]}}")
        scene.origin { target, _ in ok(target, field, status: status) }
        scene.runWarmer(for: .seconds(60))
        #expect(scene.asked.value.count == 1)
        #expect(scene.status.dead.map(\.reason.text) == [reason])
        #expect(scene.world.problems() == [])
    }

    @Test func `a client that comes meanwhile shares the fetch`() throws {
        let scene = try WarmScene("cache: {ttl: 1h, warm: {host: api.example.com, urls: [/a]}}")
        scene.origin { target, _ in ok(target) }
        let warmer = scene.warm(for: .seconds(1))
        scene.world.client { peer in
            await peer.sleep(.milliseconds(50))
            let answer = try await peer.ask(get("/a"))
            try peer.require(
                answer["Cache-Status"]?.contains("collapsed") == true,
                answer["Cache-Status"] ?? "-")
        }
        #expect(scene.world.problems() == [])
        #expect(scene.asked.value.count == 1)
        #expect(warmer.problem == nil)
    }

    @Test func `after a purge the URLs are fetched again, before other work`() throws {
        let scene = try WarmScene(Self.urls)
        scene.origin { target, _ in ok(target) }
        scene.runWarmer(for: .seconds(1))
        // What is still fresh is left alone.
        scene.world.server.warmAfterPurge()
        scene.world.world.run(for: .seconds(1))
        #expect(scene.asked.value.count == 3)
        scene.world.client { peer in _ = try await peer.ask(post("/a", "")) }
        scene.world.run()
        #expect(scene.asked.value.count == 4)
        scene.world.server.warmAfterPurge()
        scene.world.world.run(for: .seconds(1))
        #expect(scene.asked.value.count == 5)
        #expect(scene.asked.value.last?.target == "/a")
        #expect(scene.status.counts(.purge, .high).done == 6)
        #expect(scene.world.problems() == [])
    }

    @Test func `at says when, and drain forgets what waits`() throws {
        let scene = try WarmScene(
            "cache: {ttl: 1h, warm: {host: a, concurrency: 1, at: purge, urls: [/a, /b, /c]}}")
        scene.origin { target, _ in ok(target) }
        scene.runWarmer(for: .seconds(1))
        #expect(scene.asked.value.isEmpty)
        scene.world.server.warmAfterPurge()
        scene.world.world.run(for: .milliseconds(50))
        #expect(scene.world.problems() == [])
        #expect(scene.asked.value.count == 1)
        #expect(scene.status.waiting == 0)
    }

    @Test func `after a reload the new URLs are fetched, and the same ones only if they changed`()
        throws
    {
        let scene = try WarmScene(Self.urls)
        scene.origin { target, _ in ok(target) }
        let server = scene.world.server
        let same = try ProxyWorld.settings(Self.urls + "log: {sample: 50%}\n")
        let other = try ProxyWorld.settings(
            "cache: {ttl: 1h, warm: {host: api.example.com, urls: [/new], concurrency: 2}}")
        let task = scene.world.world.task(on: scene.world.world.peerLoop) { control in
            let warmer = Warmer(server, world: WarmWorld { _ in }, loop: control, seed: 1)
            warmer.start(same.warm)
            await control.sleep(for: .seconds(1))
            for settings in [same, other] {
                await server.adopt(settings, at: control.clock.wall)
                warmer.follow(settings.warm)
                await control.sleep(for: .seconds(1))
            }
            await warmer.stop()
        }
        scene.world.world.run(task)
        #expect(scene.targets == ["/a", "/b?c=d", "/de", "/new"])
        #expect(scene.status.counts(.start).done == 4 && scene.status.concurrency == 2)
        #expect(scene.world.problems() == [])
    }

    @Test func `readiness shows how far it is, and does not wait`() throws {
        let scene = try WarmScene(
            "admin: {address: 127.0.0.1:9, health_on_main: true}\n"
                + "cache: {ttl: 1h, warm: {host: a, concurrency: 1, urls: [/a, /b]}}")
        scene.origin { target, _ in ok(target) }
        let warmer = scene.warm(for: .seconds(1))
        scene.world.client { peer in
            await peer.sleep(.milliseconds(150))
            let early = try await peer.ask(get("/readyz"))
            try peer.require(
                early.status == 200
                    && early.text.contains(#""warming":{"left":1,"done":1,"dead":0}"#), early.text)
        }
        #expect(scene.world.problems() == [])
        #expect(warmer.problem == nil)
    }
}
