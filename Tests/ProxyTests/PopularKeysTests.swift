import Primitives
import Proxy
import Settings
import TestKit
import Testing

/// Popular keys: counted, kept over a restart, refreshed by chance.
@Suite struct PopularKeysTests {
    private static let kept = "cache: {ttl: 1h, warm: {top: 50%, file: /keys}}"

    /// A client that asks for `targets` and some more fields.
    private func ask(_ scene: WarmScene, _ targets: [String], _ fields: String...) {
        let requests = targets.map { get($0, fields.joined(separator: "\r\n")) }
            .map { $0.replacing("\r\n\r\n\r\n", with: "\r\n\r\n") }
        scene.world.client(from: ProxyWorld.trusted) { peer in
            for request in requests { _ = try await peer.ask(request) }
        }
        scene.world.run()
    }

    @Test func `the most used half is written every minute and at the end`() throws {
        let scene = try WarmScene(Self.kept)
        scene.origin { target, _ in ok(target) }
        ask(scene, ["/a", "/a", "/a", "/b", "/b", "/c", "/c", "/c", "/c", "/d", "/d"])
        scene.runWarmer(for: .seconds(61))
        // The first request of each is no hit.
        #expect(scene.keys == ["api.example.com /c", "api.example.com /a"])
        let first = scene.file.value
        ask(scene, Array(repeating: "/d", count: 9))
        scene.runWarmer(for: .seconds(1))
        #expect(scene.file.value != first)
        #expect(scene.keys.first == "api.example.com /d")
        #expect(scene.world.problems() == [])
    }

    @Test func `after a restart they are fetched, and their clients have hits`() throws {
        let before = try WarmScene(Self.kept)
        before.origin { target, _ in ok(target, "Vary: Accept-Encoding") }
        ask(before, ["/a?x=1", "/a?x=1", "/b"], "Accept-Encoding: gzip, br")
        before.runWarmer(for: .seconds(61))
        #expect(before.keys == ["api.example.com /a?x=1 accept-encoding: gzip,br"])
        #expect(before.world.problems() == [])

        let after = try WarmScene(Self.kept, file: before.file.value)
        after.origin { target, _ in ok(target, "Vary: Accept-Encoding") }
        after.runWarmer(for: .seconds(1))
        #expect(after.events.value == [.loaded(file: "/keys", keys: 1)])
        #expect(after.targets == ["/a?x=1"])
        after.world.client { peer in
            let answer = try await peer.ask(get("/a?x=1", "Accept-Encoding: gzip, br"))
            try peer.require(
                answer["Cache-Status"]?.hasPrefix("weir; hit") == true,
                answer["Cache-Status"] ?? "-")
        }
        #expect(after.world.problems() == [])
        // Nobody asked yet, and yet it is remembered.
        #expect(after.keys == before.keys)
    }

    @Test(arguments: [
        ("weir-popular 1\n5\tapi.example.com\t/a\n", "damaged"),
        ("something else", "not written by this version of weir"),
    ])
    func `a damaged file is ignored, with one line`(text: String, reason: String) throws {
        let scene = try WarmScene(Self.kept, file: Array(text.utf8))
        scene.origin { target, _ in ok(target) }
        scene.runWarmer(for: .seconds(200))
        #expect(scene.events.value == [.ignored(file: "/keys", reason: reason)])
        #expect(scene.asked.value.isEmpty)
        #expect(scene.world.problems() == [])
    }

    @Test func `a file that cannot be written is told of once, until it can be`() throws {
        let scene = try WarmScene(Self.kept)
        scene.writeError.value = 28
        let warmer = scene.warm(for: .seconds(400))
        scene.world.world.run(for: .seconds(200))
        #expect(scene.events.value.count == 1)
        scene.writeError.value = nil
        scene.world.world.run(for: .seconds(60))
        scene.writeError.value = 28
        scene.world.world.run(warmer)
        #expect(scene.events.value.count == 2)
        guard case .notWritten("/keys", _) = scene.events.value[1] else {
            Issue.record("\(scene.events.value)")
            return
        }
        #expect(scene.world.problems() == [])
    }

    @Test func `nothing of a user, and no credential, is written`() throws {
        let scene = try WarmScene(
            """
            identity: {trusted_proxies: [10.4.0.1], user: header:X-User}
            cache: {warm: {top: 100%, file: /keys}}
            routes:
              - {path: /user/**, cache: {ttl: 1h, vary_by: [user]}}
              - {path: /**, cache: {ttl: 1h}}

            """)
        scene.origin { target, _ in ok(target, "Cache-Control: public, max-age=60") }
        ask(scene, ["/user/a", "/user/a"], "X-User: ada")
        ask(scene, ["/a", "/a", "/a?token=1", "/a?token=1"], "Authorization: Bearer secret")
        ask(scene, ["/b", "/b"], "Cookie: session=secret")
        scene.runWarmer(for: .seconds(61))
        #expect(scene.keys == ["api.example.com /a", "api.example.com /b"])
        let text = String(decoding: scene.file.value ?? [], as: UTF8.self)
        for word in ["ada", "secret", "token"] { #expect(!text.contains(word)) }
        #expect(scene.world.problems() == [])
    }

    @Test func `popular answers that have expired are fetched again by chance`() throws {
        let scene = try WarmScene(
            "cache: {ttl: 90s, early_refresh: off, warm: {top: 100%, chance: 100%, interval: 30s}}")
        scene.origin { target, _ in ok(target) }
        ask(scene, ["/a", "/a", "/b", "/b"])
        #expect(scene.asked.value.count == 2)
        let warmer = scene.warm(for: .seconds(140))
        scene.world.world.run(for: .seconds(85))
        // Fresh ones are left alone.
        #expect(scene.asked.value.count == 2)
        scene.world.world.run(warmer)
        #expect(scene.targets == ["/a", "/a", "/b", "/b"])
        #expect(scene.status.counts(.refresh).done > 0)
        #expect(scene.world.problems() == [])
    }

    @Test func `warming makes nothing popular`() throws {
        let scene = try WarmScene(
            "cache: {ttl: 1h, warm: {host: a, urls: [/a], top: 100%, file: /keys}}")
        scene.origin { target, _ in ok(target) }
        scene.runWarmer(for: .seconds(200))
        #expect(scene.asked.value.count == 1)
        #expect(scene.keys.isEmpty)
        #expect(scene.world.problems() == [])
    }
}
