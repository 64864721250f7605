public import EventLoop
public import Primitives
public import Settings

/// One worker's connections to the servers of one upstream.
///
/// At most `pool.size + pool.overflow` are open; `pool.size` are kept when idle. A request takes the idle
/// connection used last, opens another one, or waits its turn for at most `pool.wait`.
public final class UpstreamPool {
    /// The configuration.
    public let settings: UpstreamSettings
    /// What happened so far.
    public internal(set) var counters = UpstreamCounters()

    let loop: EventLoop
    let health: UpstreamHealth
    let servers: [Server]
    private var random: SeededRandom
    private var open = 0
    private var waiters = WaiterQueue()
    /// Requests whose turn it is and that have not run yet: what came free is theirs.
    private var turns = 0
    var isClosed = false

    /// Creates a pool and starts resolving its names.
    public init(
        settings: UpstreamSettings, health: UpstreamHealth, loop: EventLoop, random: SeededRandom
    ) {
        self.settings = settings
        self.health = health
        self.loop = loop
        self.random = random
        servers = settings.servers.map(Server.init)
        setUpAddresses()
        loop.start { [self] in await closeIdleConnections() }
    }

    /// Connections that are open, with and without an exchange.
    public var openConnections: Int { open }
    /// Connections without an exchange.
    public private(set) var idleConnections = 0
    /// Requests that wait for a connection.
    public var waitingRequests: Int { waiters.count }

    // MARK: Lease

    /// Gives a connection for one exchange; `release` takes it back.
    ///
    /// When the client of `watched` goes meanwhile, it throws `.aborted`.
    public func lease(
        watching watched: ByteStream?, freshOnly: Bool = false
    ) async throws(UpstreamError) -> UpstreamConnection {
        let deadline = loop.now + settings.poolWait
        // Who comes later does not pass those who wait.
        if waiters.count + turns > 0 { try await awaitTurn(until: deadline, watching: watched) }
        while true {
            let server = try chooseServer()
            if !freshOnly, let idle = takeIdle(of: server) {
                // It may have closed others on the way.
                wakeFirst()
                return idle
            }
            if open < settings.poolSize + settings.poolOverflow || closeOneIdle() {
                return try await connect(server, watching: watched)
            }
            try await awaitTurn(until: deadline, watching: watched)
        }
    }

    /// An idle connection for one exchange, if there is one and nobody waits; no waiting.
    public func leaseIdle() -> UpstreamConnection? {
        guard waiters.count + turns == 0, let server = try? chooseServer() else { return nil }
        return takeIdle(of: server)
    }

    /// Takes a connection back after its exchange; it is closed unless `reusable`.
    public func release(_ connection: UpstreamConnection, reusable: Bool) {
        connection.server.inFlight -= 1
        let age = loop.now - connection.created
        let keeps =
            reusable && !isClosed && connection.canBeReused && age < settings.recycle
            && idleConnections < settings.poolSize
        if keeps {
            connection.isReused = true
            connection.idleSince = loop.now
            connection.shrink()
            connection.isIdle = true
            connection.server.idle.append(connection)
            idleConnections += 1
        } else {
            end(connection)
        }
        wakeFirst()
    }

    /// Closes idle connections now, and all others after their exchange.
    ///
    /// A request that began before may still lease a connection: it gets a fresh one.
    public func close() {
        isClosed = true
        while closeOneIdle() {}
    }

    /// Takes over what was counted by the pool in whose place this one is.
    public func inherit(_ former: UpstreamCounters) { counters.add(former) }

    @inline(__always)
    private func takeIdle(of index: Int) -> UpstreamConnection? {
        servers.lend(index) { takeIdle(of: $0) }
    }

    @inline(__always)
    private func takeIdle(of server: Server) -> UpstreamConnection? {
        while let connection = server.idle.popLast() {
            connection.isIdle = false
            idleConnections -= 1
            if connection.stream.peerClosed || connection.hasUnaskedBytes
                || loop.now - connection.created >= settings.recycle
            {
                end(connection)
                continue
            }
            server.inFlight += 1
            counters.reused += 1
            return connection
        }
        return nil
    }

    // MARK: Choice

    /// The less loaded of two random servers among those that were reachable lately, else among all.
    @inline(__always)
    private func chooseServer() throws(UpstreamError) -> Int {
        servers.count == 1 ? 0 : try chooseAmongServers()
    }

    private func chooseAmongServers() throws(UpstreamError) -> Int {
        var reachable = 0
        for server in servers where server.failedUntil <= loop.now { reachable += 1 }
        let onlyReachable = reachable > 0
        let total = onlyReachable ? reachable : servers.count
        let first = candidate(random.below(total), onlyReachable)
        guard total > 1 else { return first }
        // A second one that differs: skip the first in the numbering.
        let drawn = random.below(total - 1)
        let other = candidate(drawn, onlyReachable)
        let second = other < first ? other : candidate(drawn + 1, onlyReachable)
        return servers[second].isLessLoaded(than: servers[first]) ? second : first
    }

    /// The index of the `n`-th server, counting all or only those reachable lately.
    private func candidate(_ n: Int, _ onlyReachable: Bool) -> Int {
        guard onlyReachable else { return n }
        var left = n
        for (index, server) in servers.enumerated() where server.failedUntil <= loop.now {
            if left == 0 { return index }
            left -= 1
        }
        return servers.count - 1
    }

    // MARK: Connecting

    /// Connects to `server`, and to another one when it cannot be reached: nothing was sent yet.
    private func connect(
        _ first: Int, watching watched: ByteStream?
    ) async throws(UpstreamError) -> UpstreamConnection {
        open += 1
        wakeFirst()
        let deadline = loop.now + settings.connectTimeout
        var server = first
        var failure = UpstreamError.unresolved
        for _
            in 0..<min(
                Bounds.connectAttempts, max(servers.count, servers[first].addresses.count, 1))
        {
            servers[server].inFlight += 1
            do {
                let stream = try await connectOnce(server, until: deadline, watching: watched)
                health.note(server: server, isReachable: true)
                counters.connected += 1
                let connection = UpstreamConnection(
                    stream: stream, pool: self, server: servers[server], now: loop.now)
                // Until `end`: while it is leased its `abort` does nothing.
                stream.abortedWithPeer = connection
                return connection
            } catch {
                servers[server].inFlight -= 1
                failure = error
                if error == .aborted || error == .connectTimeout { break }
                server = try chooseServer()
            }
        }
        open -= 1
        wakeFirst()
        if failure != .aborted { counters.failed += 1 }
        throw failure
    }

    private func connectOnce(
        _ server: Int, until deadline: MonotonicTime, watching watched: ByteStream?
    ) async throws(UpstreamError) -> ByteStream {
        if servers[server].addresses.isEmpty { await resolve(server, until: deadline) }
        guard let address = servers[server].takeAddress() else {
            noteUnreachable(server)
            throw .unresolved
        }
        do {
            return try await ByteStream.connect(
                to: address, loop: loop, deadline: deadline, abortingWith: watched)
        } catch {
            switch error {
            case .aborted: throw .aborted
            case .timedOut:
                noteUnreachable(server)
                throw .connectTimeout
            case .closedByPeer, .refused:
                noteUnreachable(server)
                throw .connectFailed
            }
        }
    }

    private func noteUnreachable(_ server: Int) {
        servers[server].failedUntil = loop.now + Bounds.failurePause
        health.note(server: server, isReachable: false)
    }

    // MARK: Waiting

    private func awaitTurn(
        until deadline: MonotonicTime, watching watched: ByteStream?
    ) async throws(UpstreamError) {
        guard waiters.count < Bounds.waitersMax else { throw .poolExhausted }
        let waiter = Waiter(loop)
        let ticket = waiters.append(waiter)
        watched?.abortedWithPeer = waiter
        let reason = await waiter.wait(until: deadline)
        watched?.abortedWithPeer = nil
        if !waiters.remove(ticket) { turns -= 1 }
        switch reason {
        case .ready: return
        case .timedOut:
            counters.exhausted += 1
            wakeFirst()
            throw .poolExhausted
        case .aborted:
            wakeFirst()
            throw .aborted
        }
    }

    /// Lets the request that waits longest have what came free, if that is not another one's already.
    @inline(__always)
    private func wakeFirst() {
        if waiters.count > 0 { wakeFirstIfRoom() }
    }

    private func wakeFirstIfRoom() {
        let room = settings.poolSize + settings.poolOverflow - open + idleConnections
        if room > turns && waiters.wakeFirst() { turns += 1 }
    }

    // MARK: Idle connections

    func discardIdle(_ connection: UpstreamConnection) {
        connection.server.idle.removeAll { $0 === connection }
        connection.isIdle = false
        idleConnections -= 1
        end(connection)
        wakeFirst()
    }

    /// Closes a connection that is not idle any more.
    private func end(_ connection: UpstreamConnection) {
        connection.stream.abortedWithPeer = nil
        connection.stream.close()
        open -= 1
    }

    private func closeOneIdle() -> Bool {
        for server in servers.indices {
            if let oldest = servers[server].idle.first {
                discardIdle(oldest)
                return true
            }
        }
        return false
    }

    private func closeIdleConnections() async {
        while !isClosed {
            await loop.sleep(for: Nanoseconds(max(settings.poolIdle.count / 4, 1_000_000_000)))
            for server in servers.indices {
                while let oldest = servers[server].idle.first,
                    loop.now - oldest.idleSince >= settings.poolIdle
                {
                    discardIdle(oldest)
                }
            }
        }
    }
}
