import BinaryKit
import EventLoop
import Primitives
import RedisClient
import RedisWire
import Settings
import Testing

@Test(arguments: ["kill", "order", "freeze"]) func measureFailover(kind: String) throws {
    for round in 0..<5 {
        try RedisSentinel.run { fleet in
            try LiveLoop.run { loop async throws in
                var settings = RedisSettings(
                    topology: .sentinel(master: "main", [.host("127.0.0.1", port: fleet.port)]))
                settings.timeout = .milliseconds(50)
                let client = RedisClient(
                    settings, loop: loop, health: RedisHealth(name: "redis"),
                    random: SeededRandom(seed: UInt64(round) + 1))
                defer { client.close() }
                let probe = RedisClient.make(loop, .host("127.0.0.1", port: fleet.replica.port))
                defer { probe.close() }
                while (try? await client.ask("PING")) == nil {
                    await loop.sleep(for: .milliseconds(5))
                }
                // Anywhere between two questions to the sentinels.
                await loop.sleep(for: .milliseconds(UInt64(round) * 700))
                switch kind {
                case "kill": try fleet.master.kill()
                case "freeze": fleet.master.freeze()
                default: try fleet.failOver()
                }
                while (try? await probe.ask("ROLE"))?.elements?[0].text != "master" {
                    _ = try? await client.ask("PING")
                    await loop.sleep(for: .milliseconds(1))
                }
                let start = loop.kernel.now().monotonic
                while true {
                    let port = try? await client.ask("CONFIG", "GET", "port").elements?[1].text
                    if port == "\(fleet.replica.port)" { break }
                    await loop.sleep(for: .milliseconds(1))
                }
                let time = loop.kernel.now().monotonic - start
                print(
                    "MEASURE \(Host.environment["NO_SUB"] ?? "sub") \(kind) \(time.count / 100_000) tenths of ms"
                )
                fleet.master.thaw()
            }
        }
    }
}
