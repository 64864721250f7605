import EventLoop
import Primitives
import TestKit
import Testing

private let address = SocketAddress.tcp(IPAddress(v4: 0x0A00_0001), port: 8000)

/// A client sends `up` bytes and ends, the origin answers with `down` bytes and ends; both check every byte.
private func exchange(
    _ world: SimulatedWorld, at address: SocketAddress, up: Int, down: Int
) -> (client: PeerTask, origin: SimulatedOrigin) {
    let origin = world.origin(at: address) { peer in
        try await peer.readPattern(up)
        try await peer.expectEnd()
        try await peer.sendPattern(down)
    }
    let client = world.client(to: origin.address) { peer in
        try await peer.sendPattern(up)
        peer.closeWriting()
        try await peer.readPattern(down)
        try await peer.expectEnd()
    }
    return (client, origin)
}

@Suite struct SimulatedStreamTests {
    @Test(arguments: Seeds.upTo(500))
    func `bytes arrive complete and in order whatever reads, writes and segments do`(seed: UInt64) {
        let world = SimulatedWorld(seed: seed, faults: .ragged)
        var random = SeededRandom(seed: seed)
        let (up, down) = (1 + random.below(60_000), 1 + random.below(60_000))
        let place = seed % 4 == 0 ? SocketAddress.unix("/run/origin") : address
        let (client, origin) = exchange(world, at: place, up: up, down: down)
        world.run { client.isFinished && origin.open == 0 }
        origin.close()
        world.runUntilIdle()
        #expect(client.problem == nil)
        #expect(origin.accepted == 1)
        #expect(origin.failures.isEmpty)
        #expect(world.problems().isEmpty)
    }
}
