import EventLoop
import Primitives
import TestKit
import Testing

@testable import Proxy

@Suite struct SpareTasksTests {
    private static let accepted = AcceptedConnection(
        descriptor: 7, peer: .tcp(IPAddress(v4: 0x7F00_0001), port: 80))

    @Test func `a task gets another connection while it is young, and ends when it is old`() {
        let world = SimulatedWorld(seed: 1)
        let task = world.task(on: world.makeLoop()) { loop in
            let spare = SpareTasks()
            let got = Probe<[Int32?]>([])
            loop.start { got.value.append(await spare.next(age: Bounds.spareTaskAge)?.descriptor) }
            await loop.sleep(for: .seconds(1))
            #expect(got.value.isEmpty)
            #expect(spare.serve(Self.accepted))
            await loop.sleep(for: .seconds(1))
            #expect(got.value == [7])

            let old = Bounds.spareTaskAge + .milliseconds(1)
            loop.start { got.value.append(await spare.next(age: old)?.descriptor) }
            await loop.sleep(for: .seconds(1))
            #expect(got.value == [7, nil])
            #expect(!spare.serve(Self.accepted))
        }
        world.run(task)
        #expect(task.problem == nil)
    }
}
