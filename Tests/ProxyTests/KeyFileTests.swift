import EventLoop
import Identity
import Primitives
import Proxy
import TestKit
import Testing

/// Key files are read at the start and again when they change.
@Suite struct KeyFileTests {
    private static let both = KeyScene.settings(
        [.pem(file: "a.pem"), .secret([UInt8](repeating: 7, count: 32)), .jwks(file: "b.json")],
        apiKeys: "keys.yaml")

    private static func scene() -> KeyScene {
        let scene = KeyScene()
        scene.write("a.pem", "2", at: 1)
        scene.write("b.json", "3", at: 1)
        scene.write("keys.yaml", "5", at: 1)
        return scene
    }

    @Test func `all files are read at the start, and never again unless they change`() {
        let world = SimulatedWorld(seed: 1)
        let scene = Self.scene()
        let task = scene.start(Self.both, in: world)
        world.run(for: .seconds(3600))
        #expect(scene.handed.value == [.init(tokens: 6, apiKeys: 5)])
        #expect(scene.events.value == [])
        // Once at the start, and once more because they were new then.
        #expect(scene.reads.value == 6)
        #expect(scene.fetches.value == [])
        scene.stop()
        world.run(task)
        #expect(task.problem == nil)
    }

    @Test(arguments: [
        ("a.pem", "malformed"), ("b.json", "malformed"), ("keys.yaml", "line 1"),
        ("a.pem", "No such file"), ("keys.yaml", "No such file"), ("b.json", "regular"),
        ("a.pem", "Permission denied"), ("a.pem", "larger than"), ("b.json", "no usable key"),
    ])
    func `a file that is wrong at the start is named with its reason`(
        path: String, reason: String
    ) throws {
        let world = SimulatedWorld(seed: 1)
        let scene = Self.scene()
        switch reason {
        case "No such file": scene.files.update { $0[path] = nil }
        case "regular": scene.files.update { $0[path]?.stamp.isRegular = false }
        case "Permission denied": scene.files.update { $0[path]?.failure = 13 }
        case "larger than":
            scene.write(path, String(repeating: "0", count: 1 << 20) + "1", at: 1)
        case "no usable key": scene.write(path, "0", at: 1)
        default: scene.write(path, "no keys", at: 1)
        }
        let task = scene.start(Self.both, in: world)
        let failure = try #require(task.failure)
        #expect(failure.contains(path))
        #expect(failure.contains(reason), "\(failure)")
        #expect(scene.handed.value == [])
    }

    @Test func `a changed file is used within a second, and said once`() {
        for change in 0..<3 {
            let world = SimulatedWorld(seed: 1)
            let scene = Self.scene()
            scene.start(Self.both, in: world)
            world.run(for: .seconds(10))
            switch change {
            case 0: scene.write("a.pem", "4", at: 2)
            case 1: scene.write("a.pem", "4", at: 1, inode: 2)
            default: scene.write("a.pem", "04", at: 1)
            }
            world.run(for: .milliseconds(1100))
            #expect(scene.handed.value.last == .init(tokens: 8, apiKeys: 5))
            world.run(for: .seconds(100))
            #expect(scene.handed.value.count == 2)
            #expect(scene.events.value == [.loaded(source: "a.pem", keys: 4)])
        }
    }

    @Test func `API keys are watched like the others`() {
        let world = SimulatedWorld(seed: 1)
        let health = KeyHealth(verifiesTokens: false)
        let scene = KeyScene(health: health)
        scene.write("keys.yaml", "1", at: 1)
        scene.start(KeyScene.settings([], apiKeys: "keys.yaml"), in: world)
        world.run(for: .seconds(5))
        scene.write("keys.yaml", "9", at: 2)
        world.run(for: .seconds(2))
        #expect(scene.handed.value.map(\.apiKeys) == [1, 9])
        scene.write("keys.yaml", "x", at: 3)
        world.run(for: .seconds(5))
        #expect(scene.handed.value.map(\.apiKeys) == [1, 9])
        let problem = KeyProblem(source: "keys.yaml", reason: "line 1: no number")
        #expect(scene.events.value.last == .kept(problem, keys: 9))
        #expect(health.report.failingFiles == 1)
        #expect(health.report.maySucceed)
    }

    @Test func `a touched file with the same bytes changes nothing`() {
        let world = SimulatedWorld(seed: 1)
        let scene = Self.scene()
        scene.start(Self.both, in: world)
        for second in 2..<20 {
            world.run(for: .seconds(2))
            scene.write("a.pem", "2", at: Int64(second))
        }
        #expect(scene.handed.value.count == 1)
        #expect(scene.events.value == [])
    }

    @Test func `a bad new file keeps the last good keys and is said once per change`() {
        let world = SimulatedWorld(seed: 1)
        let scene = Self.scene()
        scene.start(Self.both, in: world)
        world.run(for: .seconds(5))
        scene.write("a.pem", "garbage", at: 2)
        world.run(for: .seconds(60))
        let bad = KeyProblem(source: "a.pem", reason: "\(TokenKeyError.malformed.reason)")
        #expect(scene.events.value == [.kept(bad, keys: 2)])
        #expect(scene.handed.value.count == 1)
        #expect(scene.health.report.failingFiles == 1)
        #expect(!scene.health.report.isWhole)
        scene.write("a.pem", "other garbage", at: 3)
        world.run(for: .seconds(60))
        #expect(scene.events.value == [.kept(bad, keys: 2), .kept(bad, keys: 2)])
        scene.write("a.pem", "7", at: 4)
        world.run(for: .seconds(60))
        #expect(scene.events.value.last == .loaded(source: "a.pem", keys: 7))
        #expect(scene.events.value.count == 3)
        #expect(scene.handed.value.map(\.tokens) == [6, 11])
        #expect(scene.health.report.isWhole)
    }

    @Test func `a file that goes away keeps its keys, and coming back is seen`() {
        let world = SimulatedWorld(seed: 1)
        let scene = Self.scene()
        scene.start(Self.both, in: world)
        world.run(for: .seconds(5))
        let file = scene.files.value["b.json"]
        scene.files.update { $0["b.json"] = nil }
        world.run(for: .seconds(60))
        #expect(scene.handed.value.count == 1)
        #expect(scene.events.value.count == 1)
        guard case .kept(let problem, keys: 3)? = scene.events.value.first else {
            Issue.record("\(scene.events.value)")
            return
        }
        #expect(problem.reason.contains("No such file"))
        scene.files.update { $0["b.json"] = file }
        world.run(for: .seconds(60))
        #expect(scene.events.value.count == 2)
        #expect(scene.events.value.last == .loaded(source: "b.json", keys: 3))
        #expect(scene.health.report.isWhole)
    }

    @Test func `a file that was still being written is read to its end`() {
        let world = SimulatedWorld(seed: 1)
        let scene = Self.scene()
        scene.start(Self.both, in: world)
        world.run(for: .seconds(5))
        scene.write("a.pem", "8", at: 2)
        let before = scene.reads.value
        world.run { scene.reads.value > before }
        // More of it, within the same tick of the file system's clock.
        scene.files.update { $0["a.pem"]?.text = "9" }
        world.run(for: .seconds(3))
        #expect(scene.handed.value.map(\.tokens) == [6, 12, 13])
    }

    @Test func `a file too large is refused once and keeps the last keys`() {
        let world = SimulatedWorld(seed: 1)
        let scene = Self.scene()
        scene.start(Self.both, in: world)
        world.run(for: .seconds(5))
        scene.write("a.pem", String(repeating: "0", count: 1 << 20) + "1", at: 2)
        world.run(for: .seconds(20))
        #expect(scene.events.value.count == 1)
        #expect(scene.handed.value.count == 1)
    }

    @Test func `sets are handed over one after the other, the newest last`() {
        let world = SimulatedWorld(seed: 1)
        let scene = Self.scene()
        scene.handingTakes.value = .seconds(5)
        scene.respond("1")
        var settings = Self.both
        settings.jwt?.keys.append(.remoteJWKS(url: "https://keys.example/"))
        let task = scene.start(settings, in: world)
        for second in 2..<30 {
            scene.write("a.pem", "\(second)", at: Int64(second))
            world.run(for: .seconds(1))
        }
        world.run(for: .seconds(60))
        let sizes = scene.handed.value.map(\.tokens)
        #expect(sizes.last == 29 + 1 + 3 + 1)
        #expect(sizes == sizes.sorted())
        // Five seconds each: what came meanwhile went together.
        #expect(sizes.count < 10)
        scene.stop()
        world.run(task)
        #expect(task.problem == nil)
    }
}
