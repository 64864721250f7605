import CLinux
public import EventLoop
public import Primitives

/// What a peer does on its connection, from top to bottom.
public typealias PeerScript = @Sendable (SimulatedPeer) async throws -> Void

/// Why a script ended early.
public struct PeerFailure: Error, CustomStringConvertible, Sendable {
    /// What was expected, and what came.
    public let description: String

    /// Creates a failure in words.
    public init(_ description: String) { self.description = description }
}

/// A scripted client or origin on one connection: raw bytes, and a reader of messages of its own,
/// which shares nothing with the code under test.
public final class SimulatedPeer {
    /// The connection.
    public let stream: ByteStream
    /// Whom it is connected to, as `accept` told; an empty path for clients.
    public let remote: SocketAddress
    /// How long each wait may take.
    public var patience: Nanoseconds
    let network: SimulatedNetwork
    /// What has arrived and is not consumed.
    public internal(set) var pending: [UInt8] = []
    private let incoming = ByteBuffer(capacity: 16 << 10)

    init(
        _ stream: ByteStream, remote: SocketAddress = .unix(""), network: SimulatedNetwork,
        patience: Nanoseconds
    ) {
        self.stream = stream
        self.remote = remote
        self.network = network
        self.patience = patience
    }

    /// The virtual time.
    public var now: MonotonicTime { stream.loop.now }
    private var deadline: MonotonicTime { now + patience }

    /// Fails the script with `what` unless `condition` holds.
    public func require(_ condition: Bool, _ what: @autoclosure () -> String) throws {
        if !condition { throw PeerFailure(what()) }
    }

    // MARK: Sending

    /// Sends the bytes of `text`.
    public func send(_ text: String) async throws { try await send(bytes: Array(text.utf8)) }

    /// Sends `bytes`.
    public func send(bytes: [UInt8]) async throws {
        try await stream.write(ByteBuffer(capacity: 64), bytes, bytes.indices, patience: patience)
    }

    /// Sends `count` bytes of the pattern that `readPattern` checks, from its `start`.
    public func sendPattern(_ count: Int, from start: Int = 0) async throws {
        var sent = 0
        while sent < count {
            let n = min(count - sent, 16 << 10)
            try await send(bytes: Array(SimulatedPeer.pattern(from: start + sent, n)))
            sent += n
        }
    }

    /// The byte of the pattern at `index`.
    public static func pattern(_ index: Int) -> UInt8 {
        UInt8(truncatingIfNeeded: index &* 31 ^ (index >> 8))
    }

    // Two periods, so that a piece of up to one period never wraps.
    private static let period = 1 << 16
    private static let table = (0..<2 * period).map { pattern($0) }

    /// `count` bytes of the pattern, at most 65536.
    private static func pattern(from start: Int, _ count: Int) -> ArraySlice<UInt8> {
        table[start % period..<start % period + count]
    }

    /// Tells that no more will be sent.
    public func closeWriting() { stream.closeWriting() }
    /// Closes the connection.
    public func close() { stream.close() }

    /// Closes the connection with a reset.
    public func reset() {
        network.markReset(stream.descriptor)
        stream.close()
    }

    /// Opens another connection on the same loop; it is the script's to close.
    public func connect(
        from source: IPAddress = IPAddress(v4: 0x7F00_0001), to address: SocketAddress
    ) async throws -> SimulatedPeer {
        network.nextSource = source
        let other = try await ByteStream.connect(
            to: address, loop: stream.loop, deadline: deadline)
        return SimulatedPeer(other, network: network, patience: patience)
    }

    /// Waits and does nothing.
    public func sleep(_ duration: Nanoseconds) async { await stream.loop.sleep(for: duration) }

    // MARK: Reading

    /// Waits for bytes and adds them to `pending`; `false` at the end.
    func fill() async throws -> Bool {
        let n = try await stream.read(into: incoming, until: deadline)
        let buffer = incoming
        pending.append(buffer.readable)
        incoming.consume(n)
        return n > 0
    }

    /// Takes exactly `count` bytes.
    public func read(count: Int) async throws -> [UInt8] {
        while pending.count < count {
            guard try await fill() else {
                throw PeerFailure("the end after \(pending.count) of \(count) bytes")
            }
        }
        defer { pending.removeFirst(count) }
        return Array(pending[..<count])
    }

    /// Takes everything up to and with `marker`, which must not be empty.
    public func read(until marker: String) async throws -> String {
        let wanted = Array(marker.utf8)
        var searched = 0
        while true {
            while let start = pending.span.firstIndex(of: wanted[0], from: searched),
                start + wanted.count <= pending.count
            {
                let end = start + wanted.count
                if pending.span.extracting(start..<end).equals(wanted.span) {
                    return String(decoding: try await read(count: end), as: UTF8.self)
                }
                searched = start + 1
            }
            searched = max(searched, pending.count + 1 - wanted.count)
            guard try await fill() else {
                let got = String(decoding: pending, as: UTF8.self)
                throw PeerFailure(
                    "the end instead of \(marker.debugDescription), after \(got.debugDescription)")
            }
        }
    }

    /// Takes everything up to the end.
    public func readAll() async throws -> [UInt8] {
        while try await fill() {}
        defer { pending = [] }
        return pending
    }

    /// Takes `count` bytes, in memory that does not grow with them, and fails unless they are the
    /// pattern from `start`.
    public func readPattern(_ count: Int, from start: Int = 0) async throws {
        var position = start
        let end = start + count
        while position < end {
            let here = max(1, min(pending.count, SimulatedPeer.period))
            let chunk = try await read(count: min(end - position, here))
            let wanted = SimulatedPeer.pattern(from: position, chunk.count)
            if !chunk.span.equals(wanted.span) {
                let at = zip(chunk, wanted).prefix { $0 == $1 }.count
                throw PeerFailure("another byte at \(position + at)")
            }
            position += chunk.count
        }
    }

    // MARK: Ends

    /// Fails unless the other side sends no more, in good order.
    public func expectEnd() async throws {
        let rest = try await readAll()
        try require(rest.isEmpty, "\(String(decoding: rest, as: UTF8.self)) instead of the end")
    }

    /// Waits until the other side is gone, by an end or a reset, whatever it sends before.
    public func expectGone() async throws {
        do {
            while try await fill() { pending = [] }
        } catch StreamError.closedByPeer {}
    }
}
