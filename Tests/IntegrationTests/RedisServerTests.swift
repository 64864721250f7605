import BinaryKit
import Testing

/// The tests' own Redis: it does what tests rely on.
@Suite struct RedisServerTests {
    @Test func itAnswersComesBackEmptyAtItsPortAndCountsCommands() throws {
        try RedisServer.run { redis in
            #expect(try redis.ask("SET", "key", "value") == "OK")
            #expect(try redis.ask("GET", "key") == "value")
            #expect(try redis.calls(of: "get") == 1)
            redis.stop()
            try redis.start()
            #expect(try redis.ask("EXISTS", "key") == "0")
            #expect(try redis.ask("CONFIG", "GET", "save").split(separator: "\n") == ["save"])
        }
    }
}
