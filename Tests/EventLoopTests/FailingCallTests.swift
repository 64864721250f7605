import EventLoop
import Primitives
import TestKit
import Testing

private let address = SocketAddress.tcp(IPAddress(v4: 0x0A00_0001), port: 8000)

/// The streams under test: a server that sends back what it gets and a client that checks it, each
/// on a loop of its own. Both close what they opened, whatever happens.
private func echo(_ world: SimulatedWorld, _ near: EventLoop, _ far: EventLoop) -> [PeerTask] {
    let server = world.task(on: far) { loop in
        let listener = try Listener(address, loop: loop, reusePort: false)
        // The client comes within the first seconds, or not at all.
        loop.start {
            await loop.sleep(for: .seconds(5))
            listener.close()
        }
        while let (descriptor, _) = await listener.accept() {
            guard let stream = ByteStream(descriptor, loop: loop) else { continue }
            defer { stream.close() }
            // Through a pipe, or without one through a buffer.
            if let pipe = SplicePipe(loop.kernel) {
                defer { pipe.close() }
                while try await stream.read(
                    into: pipe, atMost: 256, until: loop.now + .seconds(3)) > 0
                {
                    try await stream.write(pipe, patience: .seconds(3))
                }
                continue
            }
            let buffer = ByteBuffer(capacity: 256)
            while try await stream.read(into: buffer, until: loop.now + .seconds(3)) > 0 {
                try await stream.write(buffer, patience: .seconds(3))
            }
        }
    }
    let client = world.task(on: near) { loop in
        await loop.sleep(for: .milliseconds(1))
        let stream = try await ByteStream.connect(
            to: address, loop: loop, deadline: loop.now + .seconds(2))
        defer { stream.close() }
        let buffer = ByteBuffer(capacity: 256)
        for round in UInt64(0)..<3 {
            buffer.append(decimal: 1_000_000 + round)
            try await stream.write(buffer, patience: .seconds(2))
            while buffer.count < 7 {
                let n = try await stream.read(into: buffer, until: loop.now + .seconds(2))
                if n == 0 { throw PeerFailure("the end") }
            }
            let answer = buffer.readable.decimalValue
            if answer != 1_000_000 + round { throw PeerFailure("another answer") }
            buffer.removeAll()
        }
    }
    return [client, server]
}

@Suite struct FailingCallTests {
    @Test func `whichever system call fails, all waits end and all descriptors are closed`() {
        var failed: Set<SystemCall> = []
        var n = 0
        while true {
            n += 1
            let world = SimulatedWorld(seed: UInt64(n))
            world.failCall(n)
            let loops = (0..<2).compactMap { _ in world.makeLoopIfPossible() }
            var tasks: [PeerTask] = []
            if loops.count == 2 { tasks = echo(world, loops[0], loops[1]) }
            world.run(atMost: .seconds(60)) { false }
            #expect(tasks.allSatisfy { $0.isFinished }, "call \(n)")
            #expect(!tasks.contains { $0.failure?.contains("another answer") == true })
            #expect(world.problems().isEmpty, "call \(n)")
            guard let call = world.network.failedCall else {
                // Without a failure the scenario passes as it should.
                #expect(tasks.allSatisfy { $0.problem == nil })
                break
            }
            failed.insert(call)
        }
        let all: Set<SystemCall> = [
            .createPoll, .createWake, .register, .listen, .accept, .connect, .read, .write,
            .createPipe,
        ]
        #expect(failed == all)
    }

    @Test func `a second close and a leak are found`() {
        let world = SimulatedWorld(seed: 1)
        let first = world.kernel.listen(on: address, backlog: 1, reusePort: false)
        world.kernel.close(first)
        #expect(world.problems().isEmpty)
        world.kernel.close(first)
        #expect(world.problems() == ["make sim SEED=1: close of descriptor 3, which is not open"])
        _ = world.kernel.listen(on: address, backlog: 1, reusePort: false)
        #expect(world.problems().count == 2)
        #expect(world.network.openDescriptors.count == 1)
    }
}
