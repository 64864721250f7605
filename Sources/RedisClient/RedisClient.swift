public import EventLoop
public import Primitives
public import RedisWire
public import Settings

/// One thread's way to one Redis. It belongs to its loop's thread.
///
/// Commands made in one turn of the loop leave in one write, and their replies are matched in order. A command
/// that was sent is never sent again. While the breaker is open every call fails at once, without a wait.
public final class RedisClient {
    /// How the server is reached and used.
    public let settings: RedisSettings
    /// The breaker and the counts, shared by all clients of this Redis.
    public let health: RedisHealth
    /// The loop of its thread.
    public let loop: EventLoop
    enum Route {
        case server(RedisNode)
        case cluster(RedisCluster)
    }
    let route: Route
    private var isClosed = false

    /// Creates a client on `loop`, whose thread calls, and begins to connect.
    public init(
        _ settings: RedisSettings, loop: EventLoop, health: RedisHealth, random: SeededRandom
    ) {
        self.settings = settings
        self.health = health
        self.loop = loop
        route =
            switch settings.topology {
            case .single, .sentinel:
                .server(
                    RedisNode(
                        settings, target: RedisTarget(settings.topology), loop: loop,
                        health: health, random: random))
            case .cluster(let seeds):
                .cluster(
                    RedisCluster(
                        settings, seeds: seeds, loop: loop, health: health, random: random))
            }
    }

    /// Whether keys are spread over several servers: a script may use keys of one slot alone (`RedisSlot`).
    public var isCluster: Bool { if case .cluster = route { true } else { false } }

    /// Whether calls are let through.
    public var isAvailable: Bool { health.isAvailable && !isClosed }

    /// When a call that begins now has waited long enough.
    public var deadline: MonotonicTime { loop.now + settings.timeout }

    /// Closes all connections for good; calls that wait fail.
    public func close() {
        isClosed = true
        switch route {
        case .server(let node): node.close()
        case .cluster(let cluster): cluster.close()
        }
    }

    // MARK: Calls

    /// Sends `command` and hands its result to `done`, once, at `until` at the latest, and perhaps before this
    /// function returns. An error of the server is a failure.
    ///
    /// Unless `isAwaited`, no request waits for it: a full server that refuses it can still be read.
    public func begin(
        _ command: RedisCommand, until deadline: MonotonicTime, isAwaited: Bool = true,
        _ done: @escaping (RedisResult) -> Void
    ) {
        guard !isClosed else { return done(.failure(.closed)) }
        guard health.isAvailable else {
            health.counts.refused.add()
            probeIfDegraded()
            return done(.failure(.unavailable))
        }
        switch route {
        case .server(let node):
            let call = RedisCall(command, began: loop.now, deadline: deadline, done)
            call.isAwaited = isAwaited
            node.begin(call)
        case .cluster(let cluster):
            cluster.begin(command, until: deadline, isAwaited: isAwaited, done)
        }
    }

    private func probeIfDegraded() {
        switch route {
        case .server(let node): node.probeIfDegraded()
        case .cluster(let cluster): cluster.probeIfDegraded()
        }
    }

    /// Sends `command` and waits for its reply, but not beyond `until`. An error of the server is thrown.
    public func call(
        _ command: RedisCommand, until deadline: MonotonicTime
    ) async throws(RedisError) -> RedisReply {
        try await RedisCall.awaitResult { begin(command, until: deadline, $0) }.get()
    }

    /// Sends `command`, whose reply nobody waits for; `false` when it was not taken: there is no connection, or
    /// too much waits already.
    @discardableResult
    public func send(_ command: RedisCommand) -> Bool {
        guard isAvailable else {
            health.counts.dropped.add()
            if !isClosed { probeIfDegraded() }
            return false
        }
        switch route {
        case .server(let node): return node.send(command)
        case .cluster(let cluster): return cluster.send(command)
        }
    }

    // MARK: Scripts

    /// Runs `script` by its digest, or once with its text where the server does not know it, and hands its
    /// result to `done` as the other `begin` does.
    public func begin(
        _ script: RedisScript, keys: [[UInt8]], arguments: [[UInt8]],
        until deadline: MonotonicTime, isAwaited: Bool = true,
        _ done: @escaping (RedisResult) -> Void
    ) {
        let byName = script.callByName(keys: keys, arguments: arguments)
        begin(byName, until: deadline, isAwaited: isAwaited) { [self] result in
            guard case .failure(.server(let error)) = result, error.kind == .noScript else {
                return done(result)
            }
            // Nothing has run: a second attempt charges nothing twice.
            begin(
                script.callByText(keys: keys, arguments: arguments), until: deadline,
                isAwaited: isAwaited, done)
        }
    }

    /// Runs the script of `call`, which learns of its result as by the other `begin`.
    func begin(_ call: ScriptCall, until deadline: MonotonicTime) {
        begin(call.command(byName: true), until: deadline) { [self] result in
            guard case .failure(.server(let error)) = result, error.kind == .noScript else {
                return call.end(result)
            }
            begin(call.command(byName: false), until: deadline) { call.end($0) }
        }
    }

    /// Runs `script` and waits for its reply, but not beyond `until`.
    public func run(
        _ script: RedisScript, keys: [[UInt8]], arguments: [[UInt8]],
        until deadline: MonotonicTime
    ) async throws(RedisError) -> RedisReply {
        try await RedisCall.awaitResult {
            begin(script, keys: keys, arguments: arguments, until: deadline, $0)
        }.get()
    }
}
