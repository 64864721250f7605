import CLinux
import EventLoop
import Foundation
import Primitives
import Synchronization
import TestKit
import Testing

// The loop on the kernel of this machine. Each test turns its first loop on its own thread, until a
// task stops it; all others have threads of their own.

/// Runs `body` on a loop of this thread until it returns or throws; what it threw.
private func onLoop(
    _ body: @escaping @Sendable (EventLoop) async throws -> Void
) -> (any Error)? {
    guard let loop = EventLoop() else { return PeerFailure("no loop") }
    let failure = Probe<(any Error)?>(nil)
    Task(executorPreference: loop) {
        do { try await body(loop) } catch { failure.value = error }
        loop.stop()
    }
    loop.run()
    return failure.value
}

/// Counts without a lock, so that only the waiter itself orders the threads.
private final class Tally: Sendable {
    let count = Atomic(0)
}

/// Counts on a loop of its own.
private actor Counter {
    nonisolated let loop: EventLoop
    private(set) var count = 0

    // The loop outlives the actor, which holds it.
    nonisolated var unownedExecutor: UnownedSerialExecutor {
        unsafe loop.asUnownedSerialExecutor()
    }

    init(_ loop: EventLoop) { self.loop = loop }

    func add(_ n: Int) -> Int {
        loop.checkIsolated()
        count += n
        return count
    }
}

@Suite(.serialized) struct LinuxLoopTests {
    private static let loopback = SocketAddress.tcp(IPAddress(v4: 0x7F00_0001), port: 0)

    private static func socketPath(_ name: String) -> SocketAddress {
        let path = "/tmp/weir-\(getpid())-\(name).socket"
        Kernel().unlink(path)
        return .unix(path)
    }

    @Test(arguments: [loopback, socketPath("echo")])
    func `a mebibyte goes there and back over sockets of Linux`(place: SocketAddress) {
        let failure = onLoop { loop in
            let listener = try Listener(place, loop: loop, reusePort: false)
            loop.start {
                guard let (descriptor, _) = await listener.accept(),
                    let stream = ByteStream(descriptor, loop: loop)
                else { return }
                defer { stream.close() }
                let buffer = ByteBuffer(capacity: 16 << 10)
                do {
                    while try await stream.read(into: buffer, until: .never) > 0 {
                        try await stream.write(buffer, patience: .seconds(10))
                    }
                } catch { Issue.record("\(error)") }
            }
            let stream = try await ByteStream.connect(
                to: listener.address, loop: loop, deadline: loop.now + .seconds(10))
            loop.start {
                let bytes = (0..<(1 << 20)).map { SimulatedPeer.pattern($0) }
                do {
                    try await stream.write(
                        ByteBuffer(capacity: 64), bytes, bytes.indices, patience: .seconds(10))
                } catch { Issue.record("\(error)") }
                stream.closeWriting()
            }
            let buffer = ByteBuffer(capacity: 16 << 10)
            var position = 0
            var wrong = 0
            while try await stream.read(into: buffer, until: loop.now + .seconds(10)) > 0 {
                let arrived = buffer.readable
                for i in arrived.indices where arrived[i] != SimulatedPeer.pattern(position + i) {
                    wrong += 1
                }
                position += buffer.count
                buffer.removeAll()
            }
            stream.close()
            listener.close()
            #expect(position == 1 << 20)
            #expect(wrong == 0)
        }
        #expect(failure == nil)
    }

    @Test func `a closed listener ends its waiting accept and takes its file away`() {
        let place = LinuxLoopTests.socketPath("closing")
        let failure = onLoop { loop in
            let listener = try Listener(place, loop: loop, reusePort: false)
            loop.start {
                await loop.sleep(for: .milliseconds(5))
                listener.close()
            }
            #expect(await listener.accept() == nil)
            // The path is free again.
            try Listener(place, loop: loop, reusePort: false).close()
        }
        #expect(failure == nil)
    }

    @Test func `a refused connect says so, a silent peer is waited for until the deadline`() {
        let failure = onLoop { loop in
            let listener = try Listener(LinuxLoopTests.loopback, loop: loop, reusePort: false)
            let stream = try await ByteStream.connect(
                to: listener.address, loop: loop, deadline: loop.now + .seconds(10))
            let start = loop.now
            do {
                _ = try await stream.read(
                    into: ByteBuffer(capacity: 64), until: start + .milliseconds(20))
                Issue.record("something was read")
            } catch StreamError.timedOut {
                #expect(loop.now - start >= .milliseconds(20))
            }
            stream.close()
            listener.close()
            do {
                let deadline = loop.now + .seconds(10)
                _ = try await ByteStream.connect(
                    to: listener.address, loop: loop, deadline: deadline)
                Issue.record("somebody answered")
            } catch StreamError.refused(ECONNREFUSED) {}
        }
        #expect(failure == nil)
    }

    @Test func `wake-ups from other threads are never lost`() {
        let failure = onLoop { loop in
            let waiter = Waiter(loop)
            let sent = Tally()
            let (threads, each) = (4, 500)
            for _ in 0..<threads {
                Thread.detachNewThread {
                    for _ in 0..<each {
                        sent.count.wrappingAdd(1, ordering: .releasing)
                        waiter.wake()
                    }
                }
            }
            while sent.count.load(ordering: .acquiring) < threads * each {
                // A lost wake-up would let this wait run out.
                guard await waiter.wait(until: loop.now + .seconds(20)) == .ready else {
                    throw PeerFailure("a lost wake-up")
                }
            }
        }
        #expect(failure == nil)
    }

    @Test func `a wake-up before the wait ends it at once, an abort for good`() {
        let failure = onLoop { loop in
            let waiter = Waiter(loop)
            waiter.wake()
            waiter.wake()
            #expect(await waiter.wait(until: .never) == .ready)
            #expect(await waiter.wait(until: loop.now + .milliseconds(5)) == .timedOut)
            waiter.abort()
            #expect(await waiter.wait(until: .never) == .aborted)
            #expect(await waiter.wait(until: .never) == .aborted)
        }
        #expect(failure == nil)
    }

    @Test func `actors on several loops exchange messages, each on its own thread`() {
        let failure = onLoop { loop in
            let others = (0..<3).compactMap { _ in EventLoop() }
            let counters = others.map { Counter($0) }
            for other in others { Thread.detachNewThread { other.run() } }
            let near = Counter(loop)
            await withTaskGroup(of: Void.self) { group in
                for counter in counters {
                    group.addTask(executorPreference: loop) {
                        for _ in 0..<500 {
                            _ = await counter.add(1)
                            _ = await near.add(1)
                        }
                    }
                }
            }
            for counter in counters { #expect(await counter.count == 500) }
            #expect(await near.count == 1500)
            for other in others { other.stop() }
        }
        #expect(failure == nil)
    }

    @Test func `names of this machine resolve without holding the loop up`() {
        let failure = onLoop { loop in
            let found = await loop.resolve("localhost", until: loop.now + .seconds(10))
            #expect(!found.isEmpty)
        }
        #expect(failure == nil)
    }

    @Test func `the log pipe writes to a real descriptor, in order`() {
        var ends: (Int32, Int32) = (-1, -1)
        let made = unsafe withUnsafeMutableBytes(of: &ends) { raw in
            // Two descriptors are what pipe(2) writes.
            unsafe raw.baseAddress.map { unsafe pipe($0.assumingMemoryBound(to: Int32.self)) }
        }
        #expect(made == 0)
        let lines = LogPipe(descriptor: ends.1)
        for number in 0..<1000 { lines?.submit(Array("\(number)\n".utf8), lines: 1) }
        let wanted = (0..<1000).map { "\($0)\n" }.joined()
        let handle = FileHandle(fileDescriptor: ends.0, closeOnDealloc: true)
        var got = ""
        while got.utf8.count < wanted.utf8.count {
            let data = handle.availableData
            if data.isEmpty { break }
            got += String(decoding: data, as: UTF8.self)
        }
        #expect(got == wanted)
        #expect(lines?.droppedLines == 0)
        close(ends.1)
    }
}
