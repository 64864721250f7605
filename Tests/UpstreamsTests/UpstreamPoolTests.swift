import EventLoop
import Primitives
import Settings
import TestKit
import Testing
import Upstreams

@Suite struct UpstreamPoolTests {
    private static let way = Nanoseconds(100_000)

    /// Runs `script` with a pool on a loop of its own, closes the pool, and checks that nothing stays.
    private func run(
        _ world: PoolWorld, _ simulation: SimulatedWorld, _ origins: [SimulatedOrigin],
        _ script: @escaping @Sendable (UpstreamPool, EventLoop) async throws -> Void
    ) {
        let loop = simulation.makeLoop()
        let seed = simulation.seed
        let task = simulation.task(on: loop) { loop in
            let pool = world.pool(on: loop, seed: seed)
            try await script(pool, loop)
            pool.close()
            guard pool.openConnections == 0 && pool.waitingRequests == 0 else {
                throw PeerFailure("\(pool.openConnections) open, \(pool.waitingRequests) waiting")
            }
        }
        simulation.run(task)
        for origin in origins { origin.close() }
        simulation.runUntilIdle()
        #expect(task.problem == nil)
        #expect(simulation.problems() == [])
    }

    /// Starts one exchange for each name, a millisecond apart, and waits until all have ended.
    private static func all(
        _ names: [String], _ world: PoolWorld, _ pool: UpstreamPool, _ loop: EventLoop,
        hold: Nanoseconds
    ) async {
        let left = Probe(names.count)
        for name in names {
            loop.start {
                await world.exchange(name, pool, loop, hold: hold)
                left.update { $0 -= 1 }
            }
            await loop.sleep(for: .milliseconds(1))
        }
        while left.value > 0 { await loop.sleep(for: .milliseconds(10)) }
    }

    @Test func `a connection whose client left as its answer was whole serves nobody else`() {
        let simulation = SimulatedWorld(seed: 1)
        let origins = simulation.numberedOrigins(1)
        let world = PoolWorld()
        run(world, simulation, origins) { pool, loop in
            await world.exchange("leaves", pool, loop, hold: .zero, leaving: true)
            guard pool.idleConnections == 0 else { throw PeerFailure("kept") }
            await world.exchange("stays", pool, loop, hold: .zero)
            guard pool.idleConnections == 1 else { throw PeerFailure("not kept") }
        }
        #expect(world.failed.value == [])
        #expect(world.leased.value.map(\.isReused) == [false, false])
    }

    @Test func `a connection is used again, the one used last first`() {
        let simulation = SimulatedWorld(seed: 1)
        let origins = simulation.numberedOrigins(1)
        let world = PoolWorld()
        run(world, simulation, origins) { pool, loop in
            await Self.all(["a", "b"], world, pool, loop, hold: .milliseconds(50))
            guard pool.idleConnections == 2 else { throw PeerFailure("not kept") }
            await Self.all(["c"], world, pool, loop, hold: .zero)
            await Self.all(["d"], world, pool, loop, hold: .zero)
            guard pool.counters.connected == 2 && pool.counters.reused == 2 else {
                throw PeerFailure("\(pool.counters)")
            }
        }
        #expect(world.leased.value.map(\.isReused) == [false, false, true, true])
        #expect(origins[0].accepted == 2)
    }

    @Test func `a connection is closed at its age and after its idle time`() {
        let simulation = SimulatedWorld(seed: 1)
        let origins = simulation.numberedOrigins(1)
        let world = PoolWorld { settings in
            settings.recycle = .seconds(30)
            settings.poolIdle = .seconds(8)
        }
        run(world, simulation, origins) { pool, loop in
            await Self.all(["a"], world, pool, loop, hold: .zero)
            await loop.sleep(for: .seconds(7))
            guard pool.idleConnections == 1 else { throw PeerFailure("closed early") }
            await loop.sleep(for: .seconds(4))
            guard pool.openConnections == 0 else { throw PeerFailure("idle for too long") }
            for _ in 0..<6 {
                await Self.all(["b"], world, pool, loop, hold: .zero)
                await loop.sleep(for: .seconds(5))
            }
            guard pool.counters.connected == 2 else { throw PeerFailure("\(pool.counters)") }
            // The seventh finds it 30 s old.
            await Self.all(["b"], world, pool, loop, hold: .zero)
            guard pool.counters.connected == 3 else { throw PeerFailure("too old") }
        }
        #expect(origins[0].accepted == 3)
        #expect(world.failed.value == [])
    }

    @Test func `at most size and overflow are open, and size are kept`() {
        let simulation = SimulatedWorld(seed: 1)
        let origins = simulation.numberedOrigins(1)
        let world = PoolWorld { settings in
            settings.poolSize = 2
            settings.poolOverflow = 3
        }
        let names = (0..<20).map { "\($0)" }
        let most = Probe(0)
        run(world, simulation, origins) { pool, loop in
            let isOver = Probe(false)
            loop.start {
                while !isOver.value {
                    most.update { $0 = max($0, pool.openConnections) }
                    await loop.sleep(for: .milliseconds(1))
                }
            }
            await Self.all(names, world, pool, loop, hold: .milliseconds(100))
            isOver.value = true
            guard pool.idleConnections == 2 && pool.openConnections == 2 else {
                throw PeerFailure("\(pool.idleConnections) idle of \(pool.openConnections)")
            }
        }
        #expect(most.value == 5)
        #expect(world.leased.value.count == 20)
    }

    @Test(arguments: Seeds.upTo(30))
    func `who waits longest is served first, and nobody passes those who wait`(seed: UInt64) {
        let simulation = SimulatedWorld(seed: seed, faults: .ragged)
        let origins = simulation.numberedOrigins(1)
        let world = PoolWorld { settings in
            settings.poolSize = 1
            settings.poolOverflow = 0
        }
        // Newcomers arrive all the time, also when a connection has just come free.
        let names = (0..<60).map { "\($0)" }
        run(world, simulation, origins) { pool, loop in
            await Self.all(names, world, pool, loop, hold: .milliseconds(3))
        }
        let order = world.leased.value.sorted { $0.at < $1.at }.compactMap { Int($0.name) }
        #expect(order == Array(0..<60))
    }

    @Test func `one that asks again and again does not pass those who wait`() {
        let simulation = SimulatedWorld(seed: 1)
        let origins = simulation.numberedOrigins(1)
        let world = PoolWorld { settings in
            settings.poolSize = 1
            settings.poolOverflow = 0
        }
        run(world, simulation, origins) { pool, loop in
            let isOver = Probe(false)
            loop.start {
                // Its next request comes in the moment the connection is free.
                for _ in 0..<10 {
                    await world.exchange("greedy", pool, loop, hold: .milliseconds(10))
                }
                isOver.value = true
            }
            await loop.sleep(for: .milliseconds(2))
            await Self.all(["a", "b", "c"], world, pool, loop, hold: .milliseconds(1))
            while !isOver.value { await loop.sleep(for: .milliseconds(1)) }
        }
        let order = world.leased.value.map(\.name)
        #expect(order.prefix(5) == ["greedy", "a", "b", "c", "greedy"])
    }

    @Test func `who waits too long gives up, and its turn is the next one's`() {
        let simulation = SimulatedWorld(seed: 1)
        let origins = simulation.numberedOrigins(1)
        let world = PoolWorld { settings in
            settings.poolSize = 1
            settings.poolOverflow = 0
            settings.poolWait = .milliseconds(500)
        }
        run(world, simulation, origins) { pool, loop in
            let first = Probe(false)
            loop.start {
                await world.exchange("holds", pool, loop, hold: .milliseconds(700))
                first.value = true
            }
            await loop.sleep(for: .milliseconds(10))
            await Self.all(["early"], world, pool, loop, hold: .zero)
            await Self.all(["late"], world, pool, loop, hold: .zero)
            while !first.value { await loop.sleep(for: .milliseconds(1)) }
            guard pool.counters.exhausted == 1 else { throw PeerFailure("\(pool.counters)") }
        }
        #expect(world.failed.value == ["early poolExhausted"])
        #expect(world.leased.value.map(\.name) == ["holds", "late"])
    }

    @Test func `of two servers the less loaded one gets the next request`() {
        for seed in Seeds.upTo(20) {
            let simulation = SimulatedWorld(seed: seed)
            let origins = simulation.numberedOrigins(2)
            let world = PoolWorld(servers: ["10.2.0.1", "10.2.0.2"])
            run(world, simulation, origins) { pool, loop in
                // All run at once: two choices among two servers see both loads.
                await Self.all((0..<10).map { "\($0)" }, world, pool, loop, hold: .seconds(1))
            }
            let servers = world.leased.value.map(\.server)
            #expect(servers.filter { $0 == "1" }.count == 5)
            #expect(servers.filter { $0 == "2" }.count == 5)
        }
    }

    @Test func `a server that refuses is passed over, for a while`() {
        for seed in Seeds.upTo(20) {
            let simulation = SimulatedWorld(seed: seed)
            let origins = simulation.numberedOrigins(1)
            let world = PoolWorld(servers: ["10.2.0.1", "10.2.0.2"]) { $0.poolSize = 0 }
            run(world, simulation, origins) { pool, loop in
                await Self.all((0..<10).map { "\($0)" }, world, pool, loop, hold: .zero)
                guard world.failed.value.isEmpty else { throw PeerFailure("\(world.failed.value)") }
            }
            #expect(world.leased.value.map(\.server) == Array(repeating: "1", count: 10))
            #expect(world.health.servers[0] == .reachable)
        }
    }

    @Test func `a name is resolved again, and a failed lookup keeps the last addresses`() {
        let simulation = SimulatedWorld(seed: 1)
        let origins = simulation.numberedOrigins(2)
        simulation.network.names["api.internal"] = [IPAddress(v4: 0x0A02_0001)]
        let world = PoolWorld(servers: ["api.internal"]) { $0.poolSize = 0 }
        simulation.after(.seconds(10)) {
            simulation.network.names["api.internal"] = [IPAddress(v4: 0x0A02_0002)]
        }
        simulation.after(.seconds(50)) { simulation.network.names = [:] }
        run(world, simulation, origins) { pool, loop in
            for _ in 0..<5 {
                await Self.all(["x"], world, pool, loop, hold: .zero)
                await loop.sleep(for: .seconds(20))
            }
        }
        #expect(world.leased.value.map(\.server) == ["1", "1", "2", "2", "2"])
        #expect(world.failed.value == [])
    }

    @Test func `a name that nobody knows is told as such`() {
        let simulation = SimulatedWorld(seed: 1)
        let world = PoolWorld(servers: ["nowhere.internal"])
        run(world, simulation, []) { pool, loop in
            await Self.all(["x"], world, pool, loop, hold: .zero)
        }
        #expect(world.failed.value == ["x unresolved"])
    }

    @Test func `an idle connection that the origin closes leaves the pool at once`() {
        let simulation = SimulatedWorld(seed: 1)
        let origin = simulation.origin(at: PoolWorld.address(1)) { peer in
            _ = try await peer.nextRequest()
            try await peer.send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1")
            await peer.sleep(.seconds(1))
        }
        let world = PoolWorld()
        run(world, simulation, [origin]) { pool, loop in
            await Self.all(["a"], world, pool, loop, hold: .zero)
            guard pool.idleConnections == 1 else { throw PeerFailure("not kept") }
            await loop.sleep(for: .milliseconds(1001))
            guard pool.openConnections == 0 else { throw PeerFailure("still there") }
        }
        #expect(origin.accepted == 1)
        #expect(world.failed.value == [])
    }
}
