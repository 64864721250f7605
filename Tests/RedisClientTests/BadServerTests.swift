import EventLoop
import Primitives
import RedisClient
import RedisWire
import Settings
import TestKit
import Testing

@Suite struct BadServerTests {
    @Test(arguments: ["HTTP/1.1 400 Bad Request\r\n\r\n", "garbage\r\n", "\u{0}\u{1}\u{2}\r\n"])
    func `garbage in answer to a call ends it, and opens the breaker`(garbage: String) {
        ScriptedServer.run { peer in
            try await peer.welcome()
            _ = try await peer.nextCommand()
            try await peer.send(garbage)
            try await peer.expectGone()
        } with: { client async throws in
            #expect(
                await client.failure("GET", "k")
                    == .malformed)
            await client.loop.sleep(for: .milliseconds(1))
            #expect(client.health.degradation?.reason == .malformed)
        }
    }

    @Test func `garbage instead of a welcome is no connection`() {
        ScriptedServer.run { peer in
            try await peer.send("HTTP/1.1 408 Request Timeout\r\n\r\n")
            try await peer.expectGone()
        } with: { client async throws in
            #expect(
                await client.failure("GET", "k")
                    == .connect(.malformed))
            #expect(client.health.degradation?.reason == .connect(.malformed))
        }
    }

    @Test func `a reply that is too large ends its call, and only its connection`() {
        ScriptedServer.run { peer in
            try await peer.welcome()
            while let command = try await peer.nextCommand() {
                if command == ["GET", "large"] {
                    try await peer.send("*1000000000\r\n")
                    return try await peer.expectGone()
                }
                try await peer.send("$2\r\nok\r\n")
            }
        } with: { client async throws in
            #expect(
                await client.failure("GET", "large")
                    == .tooLarge)
            await client.loop.sleep(for: .milliseconds(100))
            #expect(try await client.ask("GET", "small").text == "ok")
        }
    }

    @Test func `half a reply times out, and its connection is given up`() {
        let connections = Probe(0)
        ScriptedServer.run { peer in
            connections.update { $0 += 1 }
            let number = connections.value
            try await peer.welcome()
            while try await peer.nextCommand() != nil {
                if number == 1 {
                    try await peer.send("$5\r\nhal")
                    return try await peer.expectGone()
                }
                try await peer.send("$2\r\nok\r\n")
            }
        } with: { client async throws in
            #expect(
                await client.failure("GET", "k")
                    == .timedOut)
            #expect(client.health.isDegraded)
            let took = await client.awaitBreaker(open: false, within: .seconds(10))
            #expect(try #require(took) < .seconds(1))
            #expect(try await client.ask("GET", "k").text == "ok")
            #expect(connections.value == 2)
        }
    }

    @Test func `a server that says nothing costs one deadline`() {
        ScriptedServer.run { peer in
            try await peer.expectGone()
        } with: { client async throws in
            let start = client.loop.now
            #expect(
                await client.failure("GET", "k")
                    == .timedOut)
            #expect(client.loop.now - start == .milliseconds(50))
            for _ in 0..<10 {
                #expect(
                    await client.failure("GET", "k")
                        == .unavailable)
            }
            #expect(client.loop.now - start == .milliseconds(50))
            await client.loop.sleep(for: .seconds(5))
            #expect(client.health.isDegraded)
        }
    }

    @Test func `a late reply is dropped, and the next one is matched`() {
        ScriptedServer.run { peer in
            try await peer.welcome()
            while let command = try await peer.nextCommand() {
                if command == ["GET", "slow"] { await peer.sleep(.milliseconds(80)) }
                try await peer.send("$\(command.last!.count)\r\n\(command.last!)\r\n")
            }
        } with: { client async throws in
            #expect(
                await client.failure("GET", "slow")
                    == .timedOut)
            // The reply comes, the probe behind it is answered, and the same connection is used on.
            #expect(await client.awaitBreaker(open: false, within: .seconds(1)) != nil)
            for word in ["a", "bb", "ccc"] {
                #expect(try await client.ask("GET", word).text == word)
            }
            #expect(client.health.counts.connects.value == 1)
        }
    }

    @Test func `a reply that nobody asked for ends the connection`() {
        ScriptedServer.run { peer in
            try await peer.welcome()
            _ = try await peer.nextCommand()
            try await peer.send("+OK\r\n+OK\r\n")
            try await peer.expectGone()
        } with: { client async throws in
            #expect(try await client.ask("SET", "k", "v").isStatus("OK"))
            await client.loop.sleep(for: .milliseconds(10))
            #expect(
                await client.failure("GET", "k") != nil)
        }
    }

    @Test(arguments: 1...10 as ClosedRange<UInt64>)
    func `a server that writes before it reads holds nothing up`(seed: UInt64) {
        let large = String(repeating: "x", count: 1 << 20)
        ScriptedServer.run(seed: seed, faults: .ragged) { peer in
            try await peer.welcome()
            // It answers all calls before it reads the second one.
            guard try await peer.nextCommand() != nil else { return }
            for _ in 0..<4 { try await peer.send("$\(large.count)\r\n\(large)\r\n") }
            for _ in 0..<3 { _ = try await peer.nextCommand() }
            try await peer.expectGone()
        } with: { client async throws in
            let missing = Probe(4)
            let all = Waiter(client.loop)
            for _ in 0..<4 {
                client.begin(
                    RedisCommand("SET", "k", large), until: client.loop.now + .seconds(60)
                ) { result in
                    if case .success(.bulk(let bytes)) = result, bytes.count == large.utf8.count {
                        missing.update { $0 -= 1 }
                    }
                    if missing.value == 0 { all.wake() }
                }
            }
            _ = await all.wait(until: client.loop.now + .seconds(60))
            #expect(missing.value == 0)
        }
    }

    @Test(arguments: [
        ("LOADING Redis is loading", true), ("MASTERDOWN Link down", true),
        ("READONLY You can't write", true), ("BUSY Redis is busy", true),
        ("WRONGTYPE Operation", false), ("ERR syntax error", false), ("NOPERM no", false),
    ])
    func `an error about the server opens the breaker, one about the command does not`(
        line: String, opens: Bool
    ) {
        ScriptedServer.run { peer in
            try await peer.welcome()
            while try await peer.nextCommand() != nil { try await peer.send("-\(line)\r\n") }
        } with: { client async throws in
            let error = await client.failure("SET", "k", "v")
            #expect(error == .server(RedisServerError(line: Array(line.utf8))))
            #expect(client.health.isDegraded == opens)
        }
    }

    @Test func `a failure that others do not see leaves the breaker closed`() {
        let world = SimulatedWorld(seed: 1)
        let good = world.origin(at: ScriptedServer.address) { peer in
            while try await peer.nextCommand() != nil { try await peer.send("+PONG\r\n") }
        }
        let silent = world.origin(at: .tcp(IPAddress(v4: 0x0A02_0002), port: 6379)) { peer in
            try await peer.expectGone()
        }
        let task = world.task(on: world.makeLoop()) { loop async throws in
            let health = RedisHealth(name: "redis")
            let first = RedisClient.make(loop, .host("10.2.0.1", port: 6379), health: health) {
                $0.timeout = .milliseconds(50)
            }
            let second = RedisClient.make(loop, .host("10.2.0.2", port: 6379), health: health) {
                $0.timeout = .milliseconds(50)
            }
            let isBusy = Probe(true)
            let busy = Waiter(loop)
            loop.start {
                while isBusy.value {
                    _ = try? await first.ask("PING")
                    await loop.sleep(for: .milliseconds(1))
                }
                busy.wake()
            }
            #expect(
                await second.failure("GET", "k")
                    == .timedOut)
            #expect(!health.isDegraded)
            #expect(try await first.ask("PING").isStatus("PONG"))
            isBusy.value = false
            _ = await busy.wait(until: .never)
            first.close()
            second.close()
        }
        world.run(task)
        good.close()
        silent.close()
        world.runUntilIdle()
        #expect(task.problem == nil)
        #expect(world.problems() == [])
    }
}
