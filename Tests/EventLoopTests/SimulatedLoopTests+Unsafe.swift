import CLinux
import EventLoop
import Primitives
import TestKit
import Testing

private let address = SocketAddress.tcp(IPAddress(v4: 0x0A00_0001), port: 8000)

@Suite struct SimulatedLoopTests {
    @Test func `abort ends the wait that runs and refuses all later ones`() {
        let world = SimulatedWorld(seed: 1)
        let origin = world.origin(at: address) { try await $0.expectGone() }
        let outcomes = Probe<[String]>([])
        let client = world.client(to: origin.address) { peer in
            let stream = peer.stream
            let loop = stream.loop
            loop.start {
                await loop.sleep(for: .seconds(1))
                stream.abort()
            }
            for _ in 0..<2 {
                do {
                    _ = try await stream.read(into: ByteBuffer(capacity: 64), until: .never)
                } catch {
                    outcomes.update { $0.append("\(error)") }
                }
            }
            do {
                try await stream.write(ByteBuffer(capacity: 64), [1], 0..<1, patience: .seconds(1))
            } catch {
                outcomes.update { $0.append("\(error)") }
            }
        }
        world.run(client)
        #expect(client.problem == nil)
        #expect(outcomes.value == ["aborted", "aborted", "aborted"])
    }

    @Test func `a wait for the upstream ends when the downstream goes`() {
        let upstream = SocketAddress.tcp(IPAddress(v4: 0x0A00_0009), port: 9000)
        for seed in Seeds.upTo(50) {
            let world = SimulatedWorld(seed: seed)
            let silent = world.origin(at: upstream) { try await $0.expectGone() }
            let ended = Probe<[String]>([])
            // Passes nothing on: only the notice that the client has left can end its wait.
            let proxy = world.origin(at: address) { peer in
                let stream = try await ByteStream.connect(
                    to: upstream, loop: peer.stream.loop, deadline: .never,
                    abortingWith: peer.stream)
                defer { stream.close() }
                peer.stream.abortedWithPeer = stream
                do {
                    _ = try await stream.read(into: ByteBuffer(capacity: 64), until: .never)
                } catch {
                    ended.update { $0.append("\(error)") }
                }
            }
            let client = world.client(to: address) { peer in
                await peer.sleep(.seconds(1))
                if seed % 2 == 0 { peer.reset() }
            }
            world.run { client.isFinished && proxy.open == 0 && silent.open == 0 }
            #expect(ended.value == ["aborted"], "\(world.network.replay)")
            #expect(silent.open == 0, "\(world.network.replay)")
        }
    }

    @Test func `out of descriptors an accept waits, and goes on when there are some again`() {
        let world = SimulatedWorld(seed: 2)
        let origin = world.origin(at: address) { try await $0.send("hello") }
        // One for the listener, one for each client, none for the other end.
        world.network.descriptorLimit = 6
        let early = (0..<3).map { _ in
            world.client(to: address) { peer in
                try await peer.require(peer.read(count: 5).count == 5, "no greeting")
            }
        }
        world.run(for: .seconds(10))
        #expect(origin.accepted == 0)
        #expect(early.allSatisfy { !$0.isFinished })
        world.network.descriptorLimit = .max
        world.run(for: .milliseconds(60))
        #expect(origin.accepted == 3)
        #expect(early.allSatisfy { $0.problem == nil })
    }

    @Test func `listeners of one port share the connections, each accepted once`() {
        let world = SimulatedWorld(seed: 3)
        let origins = (0..<3).map { index in
            world.origin(at: address) { try await $0.send("\(index)") }
        }
        let clients = (0..<60).map { _ in
            world.client(to: address) { _ = try await $0.read(count: 1) }
        }
        world.run { clients.allSatisfy(\.isFinished) }
        #expect(clients.allSatisfy { $0.problem == nil })
        #expect(origins.map(\.accepted).reduce(0, +) == 60)
        #expect(origins.allSatisfy { $0.accepted > 0 })
    }

    @Test func `jumps of the calendar clock move no timer`() {
        let world = SimulatedWorld(seed: 4)
        let walls = Probe<[UInt64]>([])
        let sleeper = world.task(on: world.makeLoop()) { loop in
            let start = loop.now
            for _ in 0..<3 {
                await loop.sleep(for: .seconds(10))
                walls.update { $0.append(loop.clock.wall.epochSeconds) }
            }
            #expect(loop.now - start == .seconds(30))
        }
        world.after(.seconds(5)) { world.network.jumpWall(seconds: 3600) }
        world.after(.seconds(15)) { world.network.jumpWall(seconds: -7200) }
        let start = world.now
        world.run(sleeper)
        #expect(sleeper.problem == nil)
        #expect(world.now - start == .seconds(30))
        let first = walls.value.first ?? 0
        #expect(walls.value == [first, first - 7190, first - 7180])
    }

    @Test func `names resolve on a thread, until the deadline`() {
        let world = SimulatedWorld(seed: 5)
        let known = IPAddress(v4: 0x0A00_0001)
        world.network.names["origin.internal"] = [known]
        let found = Probe<[[IPAddress]]>([])
        let task = world.task(on: world.makeLoop()) { loop in
            for name in ["origin.internal", "nowhere.internal"] {
                let addresses = await loop.resolve(name, until: loop.now + .seconds(1))
                found.update { $0.append(addresses) }
            }
            let late = await loop.resolve("origin.internal", until: loop.now + Nanoseconds(1))
            found.update { $0.append(late) }
        }
        world.run(task)
        world.runUntilIdle()
        #expect(task.problem == nil)
        #expect(found.value == [[known], [], []])
    }

    @Test func `the log pipe writes all lines in order`() {
        let world = SimulatedWorld(seed: 6)
        guard let pipe = LogPipe(descriptor: 1, kernel: world.kernel) else {
            Issue.record("no pipe")
            return
        }
        for line in 0..<100 { pipe.submit(Array("\(line)\n".utf8), lines: 1) }
        #expect(!pipe.isIdle)
        world.runUntilIdle()
        #expect(pipe.isIdle)
        #expect(world.network.output[1] == (0..<100).flatMap { Array("\($0)\n".utf8) })
        #expect(pipe.droppedLines == 0)
    }

    @Test func `signals arrive one by one`() {
        let world = SimulatedWorld(seed: 7)
        let seen = Probe<[Int32]>([])
        let task = world.task(on: world.makeLoop()) { loop in
            guard let source = SignalSource([SIGTERM, SIGHUP], loop: loop) else { return }
            while seen.value.count < 3 {
                let signal = await source.next()
                seen.update { $0.append(signal) }
            }
        }
        world.after(.seconds(1)) { world.network.raise(SIGHUP) }
        world.after(.seconds(2)) {
            world.network.raise(SIGUSR1)
            world.network.raise(SIGTERM)
            world.network.raise(SIGHUP)
        }
        world.run(task)
        #expect(seen.value == [SIGHUP, SIGTERM, SIGHUP])
    }

    @Test func `messages between loops arrive in order, at the sender's time`() {
        for seed in Seeds.upTo(50) {
            let world = SimulatedWorld(seed: seed)
            let (near, far) = (world.makeLoop(), world.makeLoop())
            let received = Probe<[UInt64]>([])
            let mailbox = Mailbox(far, received)
            let start = world.now
            let sender = world.task(on: near) { loop in
                for number in UInt64(0)..<20 {
                    await loop.sleep(for: .milliseconds(10))
                    await mailbox.take(number, at: loop.now)
                }
            }
            world.run(sender)
            #expect(received.value == Array(0..<20), "\(world.network.replay)")
            #expect(world.now - start == .milliseconds(200))
        }
    }
}

/// An actor on a loop of its own.
private actor Mailbox {
    nonisolated let loop: EventLoop
    private let received: Probe<[UInt64]>

    // The loop outlives the actor, which holds it.
    nonisolated var unownedExecutor: UnownedSerialExecutor {
        unsafe loop.asUnownedSerialExecutor()
    }

    init(_ loop: EventLoop, _ received: Probe<[UInt64]>) {
        self.loop = loop
        self.received = received
    }

    func take(_ number: UInt64, at time: MonotonicTime) {
        #expect(loop.now == time)
        received.update { $0.append(number) }
    }
}
