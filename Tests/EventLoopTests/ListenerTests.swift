import CLinux
import EventLoop
import Primitives
import TestKit
import Testing

private let address = SocketAddress.tcp(IPAddress(v4: 0x0A00_0001), port: 8000)

private final class Tally {
    var accepted = 0
    var served = 0
    var unservedMost = 0
}

@Suite struct ListenerTests {
    @Test func `an accept error that lasts is tried again now and then, not at once`() {
        let world = SimulatedWorld(seed: 21)
        let origin = world.origin(at: address) { try await $0.send("hello") }
        world.network.acceptErrors = Array(repeating: EPERM, count: 100)
        let clients = (0..<3).map { _ in
            world.client(to: address) { peer in
                try await peer.require(peer.read(count: 5).count == 5, "no greeting")
            }
        }
        world.run(for: .milliseconds(4900))
        #expect(origin.accepted == 0)
        // One try in 50 ms: those of 4.9 seconds, not all of them at once.
        #expect((1...5).contains(world.network.acceptErrors.count))
        world.run(for: .milliseconds(200))
        #expect(origin.accepted == 3)
        #expect(clients.allSatisfy { $0.isFinished && $0.problem == nil })
    }

    @Test(arguments: [EINTR, ECONNABORTED])
    func `an accept that was interrupted or whose client left is tried again at once`(
        error: Int32
    ) {
        let world = SimulatedWorld(seed: 22)
        let origin = world.origin(at: address) { try await $0.send("hello") }
        world.network.acceptErrors = Array(repeating: error, count: 5)
        let client = world.client(to: address) { peer in
            try await peer.require(peer.read(count: 5).count == 5, "no greeting")
        }
        world.run(for: .milliseconds(5))
        #expect(origin.accepted == 1)
        #expect(client.isFinished && client.problem == nil)
    }

    @Test func `a crowd of new connections lets those that are there have their turn`() {
        let world = SimulatedWorld(seed: 23)
        let crowd = 500
        let most = Probe(0)
        let task = world.task(on: world.makeLoop()) { loop in
            let listener = try Listener(address, loop: loop, reusePort: false)
            await loop.sleep(for: .seconds(1))
            let started = loop.now
            let tally = Tally()
            while tally.accepted < crowd, let (descriptor, _) = await listener.accept() {
                tally.accepted += 1
                tally.unservedMost = max(tally.unservedMost, tally.accepted - tally.served)
                loop.start {
                    tally.served += 1
                    loop.kernel.close(descriptor)
                }
            }
            #expect(tally.accepted == crowd)
            #expect(loop.now == started)
            most.value = tally.unservedMost
            listener.close()
        }
        for _ in 0..<crowd { world.client(to: address) { await $0.sleep(.seconds(2)) } }
        world.run(task)
        #expect(task.problem == nil)
        #expect((1...64).contains(most.value))
    }
}
