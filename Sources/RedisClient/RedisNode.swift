import EventLoop
import Primitives
import RedisWire
import Settings

/// One server and the connection to it, which is made again whenever it breaks.
///
///     connecting ──► ready ──(breaks)──► connecting …
///         │ fails                          ▲
///         └──► pausing, 20 … 400 ms ───────┘
///
/// Calls made while it connects wait for it, within their own deadlines; while it pauses they fail at once.
final class RedisNode {
    private enum State {
        case connecting
        case ready(RedisLink)
        case pausing(RedisConnectFailure)
        case closed
    }

    let loop: EventLoop
    private let health: RedisHealth
    private let settings: RedisSettings
    private let connector: RedisConnector
    private var random: SeededRandom
    private var state = State.connecting
    /// Calls that wait for the connection to be ready.
    private var waiting: [RedisCall] = []
    private var isProbing = false
    private let pauseWaiter: Waiter
    private let attempt = RedisAttempt()
    /// Looks who is the master, where sentinels know.
    private var masterWatch: RedisMasterWatch?
    /// The cluster it is a part of.
    weak var cluster: RedisCluster?
    /// The replicas of this master, where they are read from.
    private(set) var replicas: RedisReplicas?
    /// Where it is; of a master behind sentinels, where it was found last.
    private(set) var place: RedisSettings.Place

    init(
        _ settings: RedisSettings, target: RedisTarget, loop: EventLoop, health: RedisHealth,
        random: SeededRandom, readsReplica: Bool = false
    ) {
        self.loop = loop
        self.settings = settings
        self.health = health
        self.random = random
        connector = RedisConnector(
            settings: settings, target: target, loop: loop, readsReplica: readsReplica)
        pauseWaiter = Waiter(loop)
        place =
            switch target {
            case .place(let place): place
            case .any(let places), .master(_, let places), .sentinels(let places): places[0]
            }
        loop.start { [self] in await keepConnected() }
        if target.isMaster {
            masterWatch = RedisMasterWatch(
                for: self, connector, random: SeededRandom(seed: self.random.next()))
        }
    }

    /// Whether a call would be sent at once.
    var isUsable: Bool { if case .ready(let link) = state { !link.isStalled } else { false } }

    /// Begins to look after the replicas of this master.
    func followReplicas() {
        guard replicas == nil, !isClosed else { return }
        replicas = RedisReplicas(of: self, settings, random: SeededRandom(seed: random.next()))
    }

    private var isClosed: Bool { if case .closed = state { true } else { false } }

    /// Closes the connection for good; what is pending fails.
    func close() {
        let former = state
        state = .closed
        if case .ready(let link) = former { link.close(.closed) }
        failWaiting(.closed)
        pauseWaiter.wake()
        masterWatch?.close()
        replicas?.close()
    }

    // MARK: Commands

    /// Sends the command of `call`, now or as soon as the connection is there.
    func begin(_ call: RedisCall) {
        switch state {
        case .ready(let link):
            // Whoever has seen the silence has waited for all.
            guard !link.isStalled else { return refuse(call, .unavailable) }
            guard link.hasRoom(for: call.command) else { return refuse(call, .overloaded) }
            call.wait(at: self)
            start(call, on: link)
        case .connecting:
            guard waiting.count < Bounds.waitingCalls else { return refuse(call, .overloaded) }
            call.wait(at: self)
            waiting.append(call)
        case .pausing(let failure): refuse(call, .connect(failure))
        case .closed: refuse(call, .closed)
        }
    }

    private func start(_ call: RedisCall, on link: RedisLink) {
        health.counts.commands.add()
        call.sent = loop.now
        if call.isAsking { link.send(RedisCommand("ASKING"), for: nil) }
        link.send(call.command, for: call)
    }

    private func refuse(_ call: RedisCall, _ reason: RedisError) {
        health.counts.refused.add()
        call.finish(.failure(reason))
    }

    /// Whether `command`, whose reply nobody waits for, can be sent at once; counted when it cannot.
    func canTake(_ command: RedisCommand) -> Bool {
        if case .ready(let link) = state, !link.isStalled, link.hasRoom(for: command) {
            return true
        }
        health.counts.dropped.add()
        return false
    }

    /// Sends a command whose reply nobody waits for; `false` when it was not taken.
    func send(_ command: RedisCommand) -> Bool {
        guard canTake(command), case .ready(let link) = state else { return false }
        health.counts.commands.add()
        link.send(command, for: nil)
        return true
    }

    // MARK: What calls and replies tell

    /// Notes that the deadline of `call` came before its reply.
    func noteTimeout(of call: RedisCall) {
        health.counts.timeouts.add()
        if case .ready(let link) = state { link.noteTimeout(sent: call.sent) }
        noteFailure(.timedOut, since: call.sent)
        probeIfDegraded()
    }

    /// Opens the breaker, unless it is a failure of this server alone and there are others.
    private func noteFailure(_ reason: RedisError, since start: MonotonicTime) {
        if let cluster, !cluster.isWhole(reason) { return cluster.refreshSoon() }
        health.noteFailure(reason, since: start, at: loop.now)
    }

    /// Notes a reply to a command that was sent at `sent`; returns why the connection is of no more use, if it
    /// is not.
    func noteReply(_ reply: RedisReply, sent: MonotonicTime, hasCaller: Bool) -> RedisError? {
        health.noteReply(after: loop.now - sent)
        if case .error(let error) = reply {
            health.counts.errors.add()
            if error.kind == .moved { cluster?.refreshSoon() }
            if error.isAboutServer { return noteRefusal(error, hasCaller: hasCaller) }
        }
        if loop.now - sent <= settings.timeout { health.noteAnswer(at: loop.now) }
        return nil
    }

    private func noteRefusal(_ error: RedisServerError, hasCaller: Bool) -> RedisError? {
        // A cache that is full refuses writes and can still be read.
        if error.kind == .outOfMemory && !hasCaller { return nil }
        if cluster?.isWhole(.server(error)) ?? true { health.noteRefusal(error, at: loop.now) }
        // Another server may be the master now, under the same name.
        if error.isAboutRole { return .server(error) }
        probeIfDegraded()
        return nil
    }

    // MARK: The connection

    private func keepConnected() async {
        // Attempts in a row that brought no lasting connection.
        var failures = 0
        while !isClosed {
            state = .connecting
            let began = loop.now
            let failure: RedisConnectFailure
            do throws(RedisConnectFailure) {
                let reason = try await connectAndServe()
                if loop.now - began >= Bounds.stableLife && reason == .closed {
                    failures = 0
                    continue
                }
                failure = RedisConnectFailure(endedBy: reason)
                noteEnd(reason)
            } catch {
                failure = error
                health.counts.connectFailures.add()
                noteFailure(.connect(error), since: began)
            }
            guard !isClosed else { return }
            failures += 1
            state = .pausing(failure)
            failWaiting(.connect(failure))
            _ = await pauseWaiter.wait(
                until: loop.now + RedisConnector.pause(after: failures, &random))
        }
    }

    /// Makes one connection and uses it until it ends; returns why it ended.
    private func connectAndServe() async throws(RedisConnectFailure) -> RedisError {
        let patience = connector.patience(isDegraded: health.isDegraded)
        let stream = try await connector.connect(
            writing: health.wasRefused, until: loop.now + patience, as: attempt)
        let link = RedisLink(stream, patience: connector.silencePatience)
        guard !isClosed else {
            link.close(.closed)
            return .closed
        }
        if let found = stream.place { place = found }
        health.counts.connects.add()
        health.noteRecovery(at: loop.now)
        state = .ready(link)
        sendWaiting(on: link)
        let reason = await link.serve(self)
        let lost = link.close(reason)
        health.counts.lost.add(UInt64(lost))
        if case .ready = state { state = .connecting }
        return reason
    }

    /// Opens the breaker where the end of a connection says something about the server.
    private func noteEnd(_ reason: RedisError) {
        switch reason {
        case .timedOut:
            let silence = Nanoseconds(loop.now.nanoseconds) - connector.silencePatience
            noteFailure(reason, since: MonotonicTime(nanoseconds: silence.count))
        case .malformed: noteFailure(reason, since: loop.now)
        // A refusal has opened it already; another end shows in the next attempt to connect.
        case .server, .closed, .tooLarge, .connect, .overloaded, .unavailable: break
        }
        probeIfDegraded()
    }

    /// Goes where the master is by now: at once when it waits for a next attempt, or is with another server.
    func follow(_ master: RedisSettings.Place) {
        switch state {
        case .ready(let link): if master != place { link.close(.closed) }
        case .connecting: attempt.giveUp(unless: master)
        case .pausing: pauseWaiter.wake()
        case .closed: break
        }
    }

    private func sendWaiting(on link: RedisLink) {
        let calls = waiting
        waiting = []
        for call in calls where call.isOpen { start(call, on: link) }
    }

    private func failWaiting(_ reason: RedisError) {
        let calls = waiting
        waiting = []
        for call in calls where call.isOpen { refuse(call, reason) }
    }

    // MARK: Probes

    /// While the breaker is open: asks over the connection, when there is one, until it is answered in time.
    func probeIfDegraded() {
        guard health.isDegraded, !isProbing, !isClosed else { return }
        isProbing = true
        loop.start { [self] in
            var attempts = 0
            while health.isDegraded, !isClosed {
                if case .ready(let link) = state, !link.isStalled { await probe(link) }
                guard health.isDegraded, !isClosed else { break }
                attempts += 1
                await loop.sleep(for: RedisConnector.pause(after: attempts, &random))
            }
            isProbing = false
        }
    }

    private func probe(_ link: RedisLink) async {
        let command = connector.probe(writing: health.wasRefused)
        let result = await RedisCall.awaitResult { done in
            let call = RedisCall(
                command, began: loop.now, deadline: loop.now + settings.timeout, done)
            call.wait(at: self)
            start(call, on: link)
        }
        switch result {
        case .success(let reply):
            if RedisConnector.refusal(reply) == nil { health.noteRecovery(at: loop.now) }
        case .failure(.server(let error)):
            // A refusal of the command alone shows that the server works.
            if !error.isAboutServer { health.noteRecovery(at: loop.now) }
        case .failure: break
        }
    }
}
