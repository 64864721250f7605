import EventLoop
import Primitives
import Testing

@testable import TestKit

/// One kernel, real or simulated, driven call by call; everything it answers is written down.
private final class Script {
    private let kernel: Kernel
    private let settle: () -> Void
    private var polls: [Int32: Int32] = [:]
    private(set) var log: [String] = []

    init(_ kernel: Kernel, settle: @escaping () -> Void) {
        self.kernel = kernel
        self.settle = settle
    }

    /// Watches `fd` with an epoll of its own.
    func watch(_ fd: Int32, writing: Bool = true) {
        let poll = kernel.createPoll()
        polls[fd] = poll
        #expect(kernel.register(fd, in: poll, token: 7, writing: writing) == 0)
    }

    func watchWriting(_ fd: Int32) {
        #expect(polls[fd].map { kernel.watchWriting(fd, in: $0, token: 7) } == 0)
    }

    func events(_ name: String, _ fd: Int32) {
        settle()
        var events: [PollEvent] = []
        if let poll = polls[fd] { kernel.wait(poll: poll, milliseconds: 20, into: &events) }
        let names: [(Readiness, String)] = [
            (.readable, "in"), (.writable, "out"), (.peerClosed, "rdhup"), (.hungUp, "hup"),
            (.failed, "err"),
        ]
        let words = events.map { event in
            names.filter { event.readiness.contains($0.0) }.map(\.1).joined(separator: "|")
        }
        log.append("\(name): \(words.joined(separator: ", "))")
    }

    func write(_ name: String, _ fd: Int32, _ count: Int) {
        let bytes = [UInt8](repeating: 97, count: count)
        let n = unsafe bytes.withUnsafeBytes { unsafe kernel.write(fd, $0) }
        log.append("\(name) writes \(n)")
        settle()
    }

    func read(_ name: String, _ fd: Int32, _ count: Int) {
        log.append("\(name) reads \(readQuietly(fd, count))")
        settle()
    }

    @discardableResult
    private func readQuietly(_ fd: Int32, _ count: Int) -> Int {
        unsafe withUnsafeTemporaryAllocation(byteCount: count, alignment: 1) { buffer in
            unsafe kernel.read(fd, into: buffer)
        }
    }

    /// Writes until there is no space, in pieces.
    func fill(_ name: String, _ fd: Int32) {
        let bytes = [UInt8](repeating: 97, count: 4096)
        var last = 0
        repeat {
            last = unsafe bytes.withUnsafeBytes { unsafe kernel.write(fd, $0) }
            settle()
        } while last > 0
        log.append("\(name) is full: \(last)")
    }

    func drain(_ name: String, _ fd: Int32) {
        while readQuietly(fd, 65536) > 0 { settle() }
        log.append("\(name) is empty")
        settle()
    }

    func pipe() -> (out: Int32, into: Int32) {
        let (readEnd, writeEnd) = kernel.createPipe()
        return (readEnd, writeEnd)
    }

    func splice(_ name: String, from: Int32, to: Int32, _ count: Int) {
        log.append("\(name): \(kernel.splice(from: from, to: to, count: count))")
        settle()
    }

    func shutdown(_ fd: Int32) { kernel.shutdownWrite(fd) }

    func close(_ fd: Int32) {
        kernel.close(fd)
        if let poll = polls.removeValue(forKey: fd) { kernel.close(poll) }
    }

    func refused(_ place: SocketAddress) {
        let client = kernel.connect(to: place)
        watch(client)
        events("client", client)
        log.append("connect: \(kernel.connectError(client))")
        read("client", client, 5)
        write("client", client, 5)
        close(client)
    }

    /// A connected pair, both watched.
    func pair(
        _ place: SocketAddress, serverWriting: Bool = true
    ) -> (client: Int32, server: Int32) {
        let listener = kernel.listen(on: place, backlog: 16, reusePort: false)
        watch(listener)
        events("idle listener", listener)
        let bound: SocketAddress
        if case .unix = place { bound = place } else { bound = kernel.localAddress(listener) }
        let client = kernel.connect(to: bound)
        watch(client)
        events("connected client", client)
        log.append("connect: \(kernel.connectError(client))")
        events("listener", listener)
        let server = kernel.accept(listener).fd
        log.append("second accept: \(kernel.accept(listener).fd)")
        watch(server, writing: serverWriting)
        events("accepted server", server)
        close(listener)
        return (client, server)
    }
}

private typealias Steps = @Sendable (Script, SocketAddress) -> Void

private let scenarios: [(name: String, steps: Steps)] = [
    (
        "bytes and both ends",
        { script, place in
            let (client, server) = script.pair(place)
            script.read("server", server, 10)
            script.write("client", client, 5)
            script.events("server", server)
            script.read("server", server, 3)
            script.events("server after a part", server)
            script.write("client", client, 5)
            script.events("server after more", server)
            script.shutdown(client)
            script.events("client after its shutdown", client)
            script.events("server after the end", server)
            script.read("server", server, 100)
            script.read("server", server, 100)
            script.write("client", client, 1)
            script.write("server", server, 4)
            script.events("client", client)
            script.close(server)
            script.events("client after the close", client)
            script.read("client", client, 100)
            script.read("client", client, 100)
            script.close(client)
        }
    ),
    (
        "a close with unread bytes",
        { script, place in
            let (client, server) = script.pair(place)
            script.write("client", client, 5)
            script.close(server)
            script.events("client", client)
            script.read("client", client, 100)
            script.read("client", client, 100)
            script.write("client", client, 5)
            script.write("client", client, 5)
            script.close(client)
        }
    ),
    (
        "a close in good order, then a write",
        { script, place in
            let (client, server) = script.pair(place)
            script.close(server)
            script.events("client", client)
            script.read("client", client, 100)
            script.write("client", client, 5)
            script.events("client after writing", client)
            script.write("client", client, 5)
            script.read("client", client, 5)
            script.close(client)
        }
    ),
    (
        "through a pipe",
        { script, place in
            let (client, server) = script.pair(place)
            let (out, into) = script.pipe()
            script.splice("nothing there", from: server, to: into, 100)
            script.splice("nothing in the pipe", from: out, to: client, 100)
            script.write("client", client, 7)
            script.splice("a part into the pipe", from: server, to: into, 5)
            script.splice("out of the pipe", from: out, to: server, 100)
            script.splice("the rest into the pipe", from: server, to: into, 100)
            script.splice("out of the pipe", from: out, to: server, 100)
            script.read("client", client, 100)
            script.shutdown(client)
            script.events("server after the end", server)
            script.splice("the end", from: server, to: into, 100)
            script.close(out)
            script.close(into)
            script.close(client)
            script.close(server)
        }
    ),
    (
        "a full window",
        { script, place in
            let (client, server) = script.pair(place)
            script.fill("client", client)
            script.events("server", server)
            script.events("client", client)
            script.drain("server", server)
            script.events("client with space", client)
            script.close(client)
            script.events("server", server)
            script.close(server)
        }
    ),
    (
        "space that is not told before it is watched",
        { script, place in
            let (client, server) = script.pair(place, serverWriting: false)
            script.write("client", client, 5)
            script.events("server with bytes", server)
            script.read("server", server, 100)
            script.fill("server", server)
            script.drain("client", client)
            script.events("server with space", server)
            script.watchWriting(server)
            script.events("server that watches", server)
            script.events("server, told once", server)
            script.fill("server", server)
            script.drain("client", client)
            script.events("server with space again", server)
            script.close(client)
            script.events("server after the end", server)
            script.close(server)
        }
    ),
]

@Suite struct KernelParityTests {
    private func real(_ steps: Steps, _ place: SocketAddress) -> [String] {
        let kernel = Kernel()
        let script = Script(kernel, settle: {})
        steps(script, place)
        if case .unix(let path) = place { kernel.unlink(path) }
        return script.log
    }

    private func simulated(_ steps: Steps, _ place: SocketAddress) -> [String] {
        let world = SimulatedWorld(seed: 1)
        let script = Script(world.kernel, settle: { world.run(for: .milliseconds(10)) })
        steps(script, place)
        world.run(for: .seconds(1))
        #expect(world.problems().isEmpty)
        return script.log
    }

    @Test(arguments: 0..<scenarios.count)
    func `the simulated kernel answers as Linux does on TCP`(index: Int) {
        let place = SocketAddress.tcp(IPAddress(v4: 0x7F00_0001), port: 0)
        let steps = scenarios[index].steps
        #expect(simulated(steps, place) == real(steps, place), "\(scenarios[index].name)")
    }

    @Test(arguments: 0..<scenarios.count)
    func `the simulated kernel answers as Linux does on Unix sockets`(index: Int) {
        let place = SocketAddress.unix("/tmp/weir-parity-\(index).socket")
        Kernel().unlink("/tmp/weir-parity-\(index).socket")
        let steps = scenarios[index].steps
        #expect(simulated(steps, place) == real(steps, place), "\(scenarios[index].name)")
    }

    @Test func `a refused connect looks as on Linux`() {
        let place = SocketAddress.tcp(IPAddress(v4: 0x7F00_0001), port: 1)
        let steps: Steps = { script, place in script.refused(place) }
        #expect(simulated(steps, place) == real(steps, place))
    }
}
