import BinaryKit
import Foundation
import Testing

extension Integration {
    /// The table of faults in docs/redis.md in small; `bench/faults` runs all of them at length.
    struct RedisFaultTests {
        /// What happens to the Redis of two processes under load.
        enum Fault: CaseIterable, CustomTestStringConvertible {
            case frozen, full, restartedEmpty

            var testDescription: String { "\(self)" }

            func begin(_ redis: RedisServer) throws {
                switch self {
                case .frozen: redis.freeze()
                case .full: try redis.ask("CONFIG", "SET", "maxmemory", "1")
                case .restartedEmpty: redis.stop()
                }
            }

            func end(_ redis: RedisServer) throws {
                switch self {
                case .frozen: redis.thaw()
                case .full: try redis.ask("CONFIG", "SET", "maxmemory", "0")
                case .restartedEmpty: try redis.start()
                }
            }
        }

        private static let quota = 150
        private static let lines = """
            cache: {memory: 64MiB, redis: true}
            limits:
              strict: {rate: 150/day, per: global, algorithm: fixed_window}
              leased: {rate: 150/day, per: global, algorithm: fixed_window, consistency: leased}
            routes:
              - {path: /strict, cache: off, limits: [strict]}
              - {path: /leased, cache: off, limits: [leased]}
              - {path: /**, cache: {ttl: 1s}}
            """

        @Test(arguments: Fault.allCases)
        func
            `under load no request is lost to a Redis that fails, and no more pass than is promised`(
                fault: Fault
            ) throws
        {
            let origin = try RawOrigin(answering: { _ in
                response("200 OK", ["Cache-Control: max-age=1"], body: "ok")
            })
            defer { origin.close() }
            try RedisServer.run { redis in
                try fleet(of: 2, origin, redis.url, Self.lines) { weirs in
                    let answered = Board(0)
                    let paths = ["/strict", "/leased", "/cached"]
                    let load = Background {
                        try concurrently(6) { index in
                            let client = try weirs[index % 2].connect()
                            return try (0..<300).map { number in
                                usleep(1000)
                                let path = paths[index / 2] + (index < 4 ? "" : "/\(number % 8)")
                                let status = try client.ask(request(path)).status
                                answered.add()
                                return status
                            }
                        }
                    }
                    try answered.reach(400)
                    try fault.begin(redis)
                    try answered.reach(1200)
                    try fault.end(redis)
                    let statuses = try load.value()
                    #expect(statuses[0...3].joined().allSatisfy { $0 == 200 || $0 == 429 })
                    #expect(statuses[4...5].joined().allSatisfy { $0 == 200 })
                    // Once by Redis and once by the processes alone; a Redis that has forgotten admits again.
                    let most = Self.quota * (fault == .restartedEmpty ? 3 : 2)
                    for admitted in [statuses[0] + statuses[1], statuses[2] + statuses[3]] {
                        #expect(admitted.filter { $0 == 200 }.count <= most)
                    }
                    // Within a second on a machine that has nothing else to do.
                    let end = ContinuousClock.now + .seconds(3)
                    while try !weirs.allSatisfy({
                        try $0.metric("weir_redis_up{redis=\"redis\"}") == 1
                    }) {
                        try #require(ContinuousClock.now < end, "Redis is not used again")
                    }
                    // A machine that stands still for longer than a deadline adds outages of its own.
                    for weir in weirs {
                        #expect(try weir.metric("weir_redis_outages_total{redis=\"redis\"}") >= 1)
                    }
                }
            }
        }
    }
}
