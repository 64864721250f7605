import Foundation
import Testing

extension Integration {
    /// Announcements of purges that no longer arrive, over a connection that looks well.
    struct FrozenAnnouncementTests {
        /// What docs/redis.md promises: a sign of life each second, and two answers of Redis.
        private static let bound = Duration.milliseconds(1100)
        /// What a busy machine may add.
        private static let tolerance = Duration.milliseconds(900)

        @Test func `a purge reaches who hears nothing of it within a second and two deadlines`()
            throws
        {
            let version = Board(0)
            let origin = try RawOrigin(answering: { _ in
                response("200 OK", ["Cache-Control: max-age=600"], body: "\(version.value)")
            })
            defer { origin.close() }
            try RedisServer.run { redis in
                let relay = try RedisRelay(to: redis)
                defer { relay.close() }
                func text(_ url: String) -> String {
                    configuration(origin, "redis: '\(url)'\ncache: {ttl: 10m, redis: true}")
                }
                try Weir.run(text(redis.url)) { speaker in
                    try Weir.run(text(relay.url)) { listener in
                        for weir in [speaker, listener] {
                            try SharedCacheTests.awaitFollowing(weir)
                        }
                        var slowest = Duration.zero
                        for round in 0..<6 {
                            // Also when it was noticed already, and when it has only begun.
                            if round % 3 == 0 { relay.swallow(true) }
                            slowest = max(
                                slowest,
                                try self.time(speaker, listener, version, "/\(round)"))
                            guard round % 3 == 2 else { continue }
                            relay.swallow(false)
                            try SharedCacheTests.awaitFollowing(listener)
                        }
                        print("a purge nobody announced was noticed within \(slowest)")
                        #expect(slowest < Self.bound + Self.tolerance)
                        #expect(relay.swallowed > 0)
                        #expect(try listener.metric("weir_fleet_catch_ups_total") >= 2)
                    }
                }
            }
        }

        /// How long after a purge in `speaker` the last stale answer of `listener` comes.
        private func time(
            _ speaker: RunningWeir, _ listener: RunningWeir, _ version: Board<Int>, _ path: String
        ) throws -> Duration {
            let old = "\(version.value)"
            let client = try listener.connect()
            #expect(try client.ask(request(path)).text == old)
            version.add()
            let admin = try #require(speaker.admin)
            let purge = try RawConnection(to: admin).ask(
                request("/cache/purge?kind=all", method: "POST"))
            #expect(purge.text.contains("reached"))
            let clock = ContinuousClock()
            let start = clock.now
            while try client.ask(request(path)).text == old {
                guard clock.now - start < patience else { throw Failure("a stale answer stays") }
                usleep(1000)
            }
            return clock.now - start
        }
    }
}
