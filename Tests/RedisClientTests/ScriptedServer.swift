import EventLoop
import Primitives
import RedisClient
import RedisWire
import Settings
import TestKit
import Testing

extension SimulatedPeer {
    /// The next command in words; `nil` at the end.
    func nextCommand() async throws -> [String]? {
        try await nextWords()?.map { String(decoding: $0, as: UTF8.self) }
    }

    /// The same in bytes.
    func nextWords() async throws -> [[UInt8]]? {
        guard let head = try? await read(until: "\r\n") else { return nil }
        var words: [[UInt8]] = []
        for _ in 0..<(Int(head.dropFirst().dropLast()) ?? 0) {
            let length = Int(try await read(until: "\r\n").dropFirst().dropLast()) ?? 0
            words.append(try await read(count: length))
            _ = try await read(count: 2)
        }
        return words
    }

    /// Answers the PING by which a connection shows that it works.
    func welcome() async throws {
        let command = try await nextCommand()
        try require(command == ["PING"], "\(String(describing: command)) instead of PING")
        try await send("+PONG\r\n")
    }
}

/// A scripted server and a client of it in virtual time.
final class ScriptedServer {
    static let address = SocketAddress.tcp(IPAddress(v4: 0x0A02_0001), port: 6379)

    /// Runs `body` with a client whose every connection meets `script`.
    @discardableResult
    static func run(
        seed: UInt64 = 1, faults: FaultPlan = FaultPlan(), _ script: @escaping PeerScript,
        with body: @escaping @Sendable (RedisClient) async throws -> Void
    ) -> SimulatedOrigin {
        let world = SimulatedWorld(seed: seed, faults: faults)
        let server = world.origin(at: address, script)
        let task = world.task(on: world.makeLoop()) { loop async throws in
            let client = RedisClient.make(loop, .host("10.2.0.1", port: 6379), seed: seed) {
                $0.timeout = .milliseconds(50)
                $0.connectTimeout = .seconds(1)
            }
            defer { client.close() }
            try await body(client)
        }
        world.run(task)
        server.close()
        world.runUntilIdle()
        #expect(task.problem == nil)
        #expect(world.problems() == [])
        return server
    }
}

extension RedisClient {
    /// The error that a call of these words ends with; `nil` when it is answered.
    func failure(_ name: StaticString, _ words: String...) async -> RedisError? {
        var command = RedisCommand(name)
        for word in words { command.append(text: word) }
        do throws(RedisError) {
            _ = try await call(command, until: deadline)
            return nil
        } catch {
            return error
        }
    }

    /// The error that a run of `script` on the key `k` ends with; `nil` when it is answered.
    func failure(of script: RedisScript) async -> RedisError? {
        do throws(RedisError) {
            _ = try await run(script, keys: [[107]], arguments: [], until: deadline)
            return nil
        } catch {
            return error
        }
    }
}
