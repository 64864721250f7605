import Primitives
import TestKit
import Testing

@testable import EventLoop

@Suite struct TimerHeapTests {
    @Test func `timers fire in order of time, each once, as a plain list says`() {
        for seed in Seeds.upTo(200) {
            var random = SeededRandom(seed: seed)
            var heap = TimerHeap()
            let objects = (0..<40).map { _ in TimedObject() }
            var model: [Int: UInt64] = [:]
            var now: UInt64 = 0
            for _ in 0..<400 {
                let index = random.below(objects.count)
                switch random.below(4) {
                case 0, 1:
                    let time = now + UInt64(random.below(100))
                    heap.arm(objects[index], at: time)
                    // Later than armed changes nothing.
                    model[index] = min(model[index] ?? .max, time)
                case 2:
                    heap.remove(objects[index])
                    model[index] = nil
                default:
                    now += UInt64(random.below(30))
                    var last: UInt64 = 0
                    while let time = heap.popDueTime(objects, &model, now) {
                        #expect(time >= last)
                        last = time
                    }
                    #expect(model.values.allSatisfy { $0 > now })
                }
                #expect(heap.count == model.count)
                #expect(heap.next == model.values.min() ?? .max)
            }
        }
    }

    @Test func `an object armed earlier moves to the front`() {
        var heap = TimerHeap()
        let (first, second) = (TimedObject(), TimedObject())
        heap.arm(first, at: 10)
        heap.arm(second, at: 20)
        heap.arm(second, at: 5)
        #expect(heap.next == 5)
        #expect(heap.popDue(at: 4) == nil)
        #expect(heap.popDue(at: 5) === second)
        #expect(heap.popDue(at: 10) === first)
        #expect(heap.popDue(at: .max) == nil)
        #expect(first.heapIndex == -1)
        // What has left can be armed for any time again.
        heap.arm(first, at: 30)
        #expect(heap.next == 30)
    }

    @Test func `removing what is not there changes nothing`() {
        var heap = TimerHeap()
        let (there, absent) = (TimedObject(), TimedObject())
        heap.arm(there, at: 10)
        heap.remove(absent)
        #expect(heap.count == 1)
        heap.remove(there)
        heap.remove(there)
        #expect(heap.count == 0)
        #expect(heap.next == .max)
    }
}

extension TimerHeap {
    /// Pops one due object, checks it against the model and returns its time there.
    fileprivate mutating func popDueTime(
        _ objects: [TimedObject], _ model: inout [Int: UInt64], _ now: UInt64
    ) -> UInt64? {
        guard let due = popDue(at: now) else { return nil }
        guard let index = objects.firstIndex(where: { $0 === due }),
            let time = model.removeValue(forKey: index)
        else {
            Issue.record("fired, but was not armed")
            return nil
        }
        #expect(time <= now)
        return time
    }
}
