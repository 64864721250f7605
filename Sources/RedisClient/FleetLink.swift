public import Caching
import EventLoop
public import Primitives
import RedisWire
import Settings

/// Keeps a process in touch with the others that share its Redis: counts who lives, sends what was purged here, and
/// applies what was purged there.
///
///     own purges ──wake──►┐                      ┌─► append: numbered and announced
///     announcements ─────►│ one task, one step   ├─► read: what announcements left out
///     a second is over ──►│ after the other      ├─► beat: who lives, which number is the last
///     no announcements ──►┘                      └─► renew: Redis has lost purges
///
/// Lives on the control thread. While Redis is away it asks again every `Bounds.fleetPause`, which costs nothing while
/// the breaker is open.
public final class FleetLink {
    private let client: RedisClient
    private let state: FleetState
    private let apply: (PurgeRecord) -> Void
    private let names: FleetNames
    private let free: (PurgeRemains) -> Void
    private let waiter: Waiter
    private var subscription: RedisSubscription?
    private var random: SeededRandom
    private var feed = PurgeFeed()
    private var nextBeat: MonotonicTime
    private var isSubscribed = false
    private var isStopped = false
    /// Wakes who waits for the end of `run`.
    private let ended: Waiter
    private var hasEnded = false
    /// Who waits until own purges were sent, or could not be.
    private var senders: [Waiter] = []
    private var lastSendFailed = false

    /// Prepares a link.
    ///
    /// - Parameters:
    ///   - client: The way to the Redis of the cache, of the calling thread.
    ///   - state: What it keeps.
    ///   - random: Names this process and generations; not the same in two processes.
    ///   - apply: Purges the memory of this process.
    ///   - free: Frees, behind the requests, what purges of this process have made dead in Redis.
    public init(
        _ client: RedisClient, _ state: FleetState, random: SeededRandom,
        apply: @escaping (PurgeRecord) -> Void, free: @escaping (PurgeRemains) -> Void
    ) {
        self.client = client
        self.state = state
        self.random = random
        self.apply = apply
        self.free = free
        names = FleetNames(client.settings, process: self.random.next())
        waiter = Waiter(client.loop)
        ended = Waiter(client.loop)
        nextBeat = client.loop.now
    }

    private var loop: EventLoop { client.loop }

    /// Begins.
    public func start() {
        state.setWaiter(waiter)
        subscription = RedisSubscription(
            client.settings, channels: [String(decoding: names.channel, as: UTF8.self)],
            loop: loop, random: SeededRandom(seed: random.next())
        ) { [self] event in
            switch event {
            case .subscribed: noteSubscribed(true)
            case .lost: noteSubscribed(false)
            case .message(_, let message): receive(message.span)
            }
        }
        loop.start { [self] in await run() }
    }

    /// Sends what waits, takes this process out of the count, and ends; not beyond `deadline`. The client stays open.
    public func stop(until deadline: MonotonicTime) async {
        isStopped = true
        subscription?.close()
        waiter.wake()
        while !hasEnded, await ended.wait(until: deadline) == .ready {}
        guard hasEnded else { return }
        while state.purges.counts.waiting > 0, loop.now < deadline, client.isAvailable {
            await sendOwn()
            if lastSendFailed { await loop.sleep(for: Bounds.fleetPause) }
        }
        var leave = RedisCommand("ZREM")
        leave.append(key: names.members)
        leave.append(names.process)
        _ = try? await client.call(leave, until: min(deadline, client.deadline))
    }

    /// Waits until Redis has the purges that were made here so far; `false`: it does not have them by `deadline`, or
    /// cannot be reached.
    public func sent(until deadline: MonotonicTime) async -> Bool {
        guard let last = state.purges.lastWaiting else { return true }
        while state.purges.isWaiting(last) {
            let waiter = Waiter(loop)
            senders.append(waiter)
            if await waiter.wait(until: deadline) == .timedOut { return false }
            if lastSendFailed { return false }
        }
        return true
    }

    // MARK: Announcements

    /// Takes an announcement.
    private func receive(_ message: Span<UInt8>) {
        guard let entry = PurgeEntry(announced: message) else { return }
        carryOut(feed.receive(entry, at: loop.now))
        if feed.question != .none { waiter.wake() }
    }

    /// Announcements arrive from now on, or do not: what was made meanwhile is read before answers from Redis are
    /// trusted again.
    private func noteSubscribed(_ isSubscribed: Bool) {
        self.isSubscribed = isSubscribed
        state.noteConnected(isSubscribed)
        if !isSubscribed { state.purges.trust(until: loop.now) }
        feed.interrupt()
        waiter.wake()
    }

    // MARK: Steps

    private func run() async {
        while !isStopped {
            await sendOwn()
            await catchUp()
            if loop.now >= nextBeat { await beat() }
            let pause = loop.now + Bounds.fleetPause
            let isWaiting = feed.question != .none || state.purges.counts.waiting > 0
            if !isWaiting && !isSubscribed {
                // Nobody tells, so it asks.
                if await waiter.wait(until: min(pause, nextBeat)) == .timedOut { feed.interrupt() }
            } else {
                _ = await waiter.wait(until: isWaiting ? min(pause, nextBeat) : nextBeat)
            }
        }
        hasEnded = true
        ended.wake()
    }

    /// Sends own purges, in their order.
    private func sendOwn() async {
        while true {
            let records = state.purges.takeOwn(atMost: Bounds.fleetBatch)
            guard !records.isEmpty else { break }
            let arguments = [
                names.newGeneration(&random), names.expiry, names.channel, names.kept,
            ]
            do {
                let reply = try await client.run(
                    FleetScripts.append, keys: [names.purges],
                    arguments: arguments + records.map(\.line), until: client.deadline)
                state.purges.noteSent(at: loop.now)
                state.noteSent(records.count)
                for record in records where record.kind == .key && !record.isSoft {
                    unlink(record.value)
                }
                lastSendFailed = false
                if let parts = reply.elements, parts.count == 2,
                    let end = PurgePosition(parts[0], parts[1]), !isSubscribed
                {
                    feed.note(end, at: loop.now)
                }
            } catch {
                state.purges.noteFailed()
                lastSendFailed = true
                break
            }
        }
        let done = senders
        senders = []
        for waiter in done { waiter.wake() }
    }

    /// Removes what stands under the name of a purged key at once.
    private func unlink(_ key: [UInt8]) {
        var command = RedisCommand("UNLINK", reserving: key.count + 64)
        command.append(
            key: SharedKey.name(of: key.span, namespace: Array(client.settings.namespace.utf8)))
        client.send(command)
    }

    /// Asks until all is known; gives up at the first failure.
    private func catchUp() async {
        while feed.question != .none, !isStopped {
            let asked = loop.now
            do {
                switch feed.question {
                case .none: return
                case .read(let from):
                    let reply = try await client.run(
                        FleetScripts.read, keys: [names.purges],
                        arguments: [
                            names.newGeneration(&random), names.expiry, Array("\(from)".utf8),
                            Array("\(Bounds.fleetPage)".utf8),
                        ], until: client.deadline)
                    guard let page = PurgePage(reply) else { return }
                    carryOut(feed.read(page, at: loop.now))
                    if feed.question == .none { trust(since: asked) }
                case .renew(let generation):
                    _ = try await client.run(
                        FleetScripts.renew, keys: [names.purges],
                        arguments: [
                            names.newGeneration(&random), names.expiry, names.channel,
                            Array("\(generation)".utf8),
                        ], until: client.deadline)
                    feed.renewed()
                }
            } catch {
                return
            }
        }
    }

    private func beat() async {
        nextBeat = loop.now + Bounds.fleetBeat
        let asked = loop.now
        do {
            let reply = try await client.run(
                FleetScripts.beat, keys: [names.purges, names.members],
                arguments: [
                    names.newGeneration(&random), names.expiry, names.process, names.silence,
                ], until: client.deadline)
            guard let beat = FleetBeat(reply) else { return }
            state.noteReplicas(beat.replicas)
            if let end = beat.end { feed.note(end, at: loop.now) } else { feed.interrupt() }
            // What is about to be announced is not missed yet; then the next reading says so.
            if feed.question == .none { trust(since: asked) }
        } catch {
            // Asked again soon: it may have been lost with a connection.
            nextBeat = loop.now + Bounds.fleetPause
        }
    }

    /// All was known at `asked`.
    private func trust(since asked: MonotonicTime) {
        let time = isSubscribed ? Bounds.fleetTrust : Bounds.fleetTrustUntold
        state.purges.trust(until: asked + time)
    }

    private func carryOut(_ effects: [PurgeFeed.Effect]) {
        for effect in effects {
            switch effect {
            case .begin(let position): state.purges.begin(at: position)
            case .entry(let entry, let isKnown):
                let isOwn = state.purges.add(entry.record, at: entry.position, now: loop.now)
                if isOwn, let remains = entry.record.flatMap(PurgeRemains.init) { free(remains) }
                guard let record = entry.record, !isOwn, !isKnown else { continue }
                state.noteReceived()
                apply(record)
            case .missed:
                apply(
                    PurgeRecord(
                        id: random.next(), kind: .all, value: [], isSoft: false,
                        time: loop.clock.wall))
            case .sendAgain: state.purges.sendAgain(at: loop.now)
            }
        }
        state.noteReadings(feed.readings)
    }
}

/// The keys of the fleet, and what scripts are told with them.
struct FleetNames {
    let purges: [UInt8]
    let members: [UInt8]
    let channel: [UInt8]
    /// This process among the members.
    let process: [UInt8]
    let expiry = Array("\(Bounds.fleetExpiry.wholeSeconds)".utf8)
    let kept = Array("\(CacheBounds.purgeHistory)".utf8)
    let silence = Array("\(Bounds.fleetSilence.wholeMilliseconds)".utf8)

    init(_ settings: RedisSettings, process: UInt64) {
        let all = "\(settings.namespace):f:{fleet}:"
        purges = Array("\(all)purges".utf8)
        members = Array("\(all)members".utf8)
        channel = Array("\(all)purges/\(settings.database)".utf8)
        self.process = Array(String(process, radix: 16).utf8)
    }

    /// A name that a new generation gets if one begins.
    func newGeneration(_ random: inout SeededRandom) -> [UInt8] {
        Array("\(PurgePosition.newGeneration(using: &random))".utf8)
    }
}
