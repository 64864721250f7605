import Primitives

/// Something that waits for a time, and can be woken or told to give up. At most once in its loop's timer heap.
///
/// Everything here belongs to the loop's thread.
open class TimedObject {
    /// Its place in the heap; -1: not there.
    fileprivate(set) var heapIndex = -1
    /// When the heap calls `timerFired`.
    fileprivate(set) var firesAt: UInt64 = .max

    /// Creates an object that waits for nothing.
    public init() {}

    /// Called once `firesAt` has come, after the object left the heap.
    open func timerFired(_ loop: EventLoop) {}

    /// Ends the current wait, and all later ones, because whom it was for has gone.
    open func abort() {}
}

/// Timers of one loop: a heap of four children per node, whose elements know their place.
///
/// Arming later than armed is free: the object stays where it is and is armed anew when it fires. So a
/// deadline that moves with every request costs a store, not a move in the heap.
struct TimerHeap {
    private var nodes: [TimedObject] = []

    var next: UInt64 { nodes.first?.firesAt ?? .max }
    var count: Int { nodes.count }

    /// Makes `object` fire at `time` or earlier.
    mutating func arm(_ object: TimedObject, at time: UInt64) {
        guard time < object.firesAt else { return }
        object.firesAt = time
        if object.heapIndex < 0 {
            object.heapIndex = nodes.count
            nodes.append(object)
        }
        siftUp(object.heapIndex)
    }

    mutating func remove(_ object: TimedObject) {
        let index = object.heapIndex
        guard index >= 0 else { return }
        object.heapIndex = -1
        object.firesAt = .max
        let last = nodes.removeLast()
        guard index < nodes.count else { return }
        place(last, at: index)
        siftUp(index)
        siftDown(last.heapIndex)
    }

    /// Takes out an object whose time has come.
    mutating func popDue(at now: UInt64) -> TimedObject? {
        guard let first = nodes.first, first.firesAt <= now else { return nil }
        remove(first)
        return first
    }

    private mutating func place(_ object: TimedObject, at index: Int) {
        nodes[index] = object
        object.heapIndex = index
    }

    private mutating func siftUp(_ start: Int) {
        var index = start
        let object = nodes[index]
        while index > 0 {
            let parent = (index - 1) / 4
            guard object.firesAt < nodes[parent].firesAt else { break }
            place(nodes[parent], at: index)
            index = parent
        }
        place(object, at: index)
    }

    private mutating func siftDown(_ start: Int) {
        var index = start
        let object = nodes[index]
        while true {
            let first = index * 4 + 1
            guard first < nodes.count else { break }
            var least = first
            for child in first..<min(first + 4, nodes.count)
            where nodes[child].firesAt < nodes[least].firesAt {
                least = child
            }
            guard nodes[least].firesAt < object.firesAt else { break }
            place(nodes[least], at: index)
            index = least
        }
        place(object, at: index)
    }
}
