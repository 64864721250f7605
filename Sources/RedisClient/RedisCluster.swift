import EventLoop
import Primitives
import RedisWire
import Settings

/// The servers of a cluster, one connection to each, and who has which slot.
///
/// A command goes to the master of its first key's slot, as far as that is known, otherwise to any server. What it is
/// told there (MOVED, ASK) it follows, at most five times and within its deadline; a command that is sent elsewhere has
/// not run. Who has which slot is asked again after each MOVED and each failure, at most five times a second.
final class RedisCluster {
    private let settings: RedisSettings
    private let seeds: [RedisSettings.Place]
    private let loop: EventLoop
    private let health: RedisHealth
    private var random: SeededRandom
    /// The masters, and before they are known those servers that the configuration names.
    private var nodes: [RedisNode] = []
    /// The index in `nodes` for each slot; -1: not known.
    private var owners = [Int16](repeating: -1, count: RedisSlot.count)
    private var isRefreshing = false
    private var isClosed = false
    private var readsReplicas = false

    init(
        _ settings: RedisSettings, seeds: [RedisSettings.Place], loop: EventLoop,
        health: RedisHealth, random: SeededRandom
    ) {
        self.settings = settings
        self.seeds = seeds
        self.loop = loop
        self.health = health
        self.random = random
        refreshSoon()
    }

    func close() {
        isClosed = true
        for node in nodes { node.close() }
    }

    func probeIfDegraded() {
        for node in nodes { node.probeIfDegraded() }
        refreshSoon()
    }

    // MARK: Commands

    func begin(
        _ command: RedisCommand, until deadline: MonotonicTime, isAwaited: Bool,
        _ done: @escaping (RedisResult) -> Void
    ) {
        begin(
            command, until: deadline, at: node(for: command), asking: false, hops: 0,
            isAwaited: isAwaited, done)
    }

    /// Sends a command whose reply nobody waits for, and follows what it is told all the same: while a slot moves the
    /// answers of that slot would not be stored otherwise.
    func send(_ command: RedisCommand) -> Bool {
        let node = node(for: command)
        guard node.canTake(command) else { return false }
        begin(
            command, until: .never, at: node, asking: false, hops: 0, isAwaited: false
        ) { _ in }
        return true
    }

    private func begin(
        _ command: RedisCommand, until deadline: MonotonicTime, at node: RedisNode, asking: Bool,
        hops: Int, isAwaited: Bool, _ done: @escaping (RedisResult) -> Void
    ) {
        let call = RedisCall(command, began: loop.now, deadline: deadline) { [self] result in
            guard case .failure(let failure) = result, !isClosed else { return done(result) }
            guard case .server(let error) = failure else {
                refreshSoon()
                return done(result)
            }
            guard let redirect = RedisRedirect(error, from: node.place), hops < Bounds.redirects
            else {
                if error.kind == .clusterDown { refreshSoon() }
                return done(result)
            }
            switch redirect {
            case .moved(let slot, let place):
                let next = self.node(at: place)
                if let index = nodes.firstIndex(where: { $0 === next }) {
                    owners[slot] = Int16(index)
                }
                refreshSoon()
                begin(
                    command, until: deadline, at: next, asking: false, hops: hops + 1,
                    isAwaited: isAwaited, done)
            case .ask(let place):
                begin(
                    command, until: deadline, at: self.node(at: place), asking: true,
                    hops: hops + 1, isAwaited: isAwaited, done)
            case .later:
                loop.start { [self] in
                    await loop.sleep(for: Bounds.tryAgainPause)
                    guard loop.now < deadline else { return done(.failure(.timedOut)) }
                    begin(
                        command, until: deadline, at: node, asking: asking, hops: hops + 1,
                        isAwaited: isAwaited, done)
                }
            }
        }
        call.isAsking = asking
        call.isAwaited = isAwaited
        node.begin(call)
    }

    // MARK: Servers

    /// The servers that have slots, as far as that is known.
    var masters: [RedisNode] {
        Set(owners).filter { $0 >= 0 }.sorted().map { nodes[Int($0)] }
    }

    /// The server for `command`.
    private func node(for command: RedisCommand) -> RedisNode {
        if let key = command.key {
            let owner = owners[RedisSlot.of(key)]
            if owner >= 0 { return nodes[Int(owner)] }
        }
        if let usable = nodes.first(where: \.isUsable) ?? nodes.first { return usable }
        return node(at: seeds[random.below(seeds.count)])
    }

    /// The server at `place`, which may be a new one.
    private func node(at place: RedisSettings.Place) -> RedisNode {
        if let known = nodes.first(where: { $0.place == place }) { return known }
        let node = RedisNode(
            settings, target: .place(place), loop: loop, health: health,
            random: SeededRandom(seed: random.next()))
        node.cluster = self
        if readsReplicas { node.followReplicas() }
        nodes.append(node)
        return node
    }

    /// Whether `failure` of one server concerns the whole: the cluster says so, or no server can be used.
    func isWhole(_ failure: RedisError) -> Bool {
        if case .server(let error) = failure {
            return error.kind == .clusterDown && error.text.contains("cluster is down")
        }
        return !nodes.contains(where: \.isUsable)
    }

    // MARK: Who has which slot

    /// Asks who has which slot, unless that is being asked.
    func refreshSoon() {
        guard !isRefreshing, !isClosed else { return }
        isRefreshing = true
        loop.start { [self] in
            await refresh()
            // The answer to what comes meanwhile is on its way already, or would be the same.
            await loop.sleep(for: Bounds.refreshPause)
            isRefreshing = false
        }
    }

    private func refresh() async {
        let known = nodes.filter(\.isUsable)
        let asked = known.isEmpty ? seeds.map { node(at: $0) } : known
        for node in asked {
            let result = await RedisCall.awaitResult { done in
                let patience = known.isEmpty ? settings.connectTimeout : settings.timeout
                node.begin(
                    RedisCall(
                        RedisCommand("CLUSTER", "SLOTS"), began: loop.now,
                        deadline: loop.now + patience, done))
            }
            guard !isClosed else { return }
            if case .success(let reply) = result,
                let topology = RedisTopology(reply, from: node.place), !topology.parts.isEmpty
            {
                return adopt(topology)
            }
        }
    }

    private func adopt(_ topology: RedisTopology) {
        owners = [Int16](repeating: -1, count: RedisSlot.count)
        let places = Set(topology.parts.map(\.master))
        let former = nodes
        nodes = former.filter { places.contains($0.place) }
        for node in former where !places.contains(node.place) { node.close() }
        for part in topology.parts {
            let node = node(at: part.master)
            guard let index = nodes.firstIndex(where: { $0 === node }) else { continue }
            for slot in part.slots { owners[slot] = Int16(index) }
            node.replicas?.adopt(part.replicas)
        }
    }

    // MARK: Replicas

    /// Begins to look after the replicas of all masters, those that are found later as well.
    func followReplicas() {
        readsReplicas = true
        for node in nodes { node.followReplicas() }
        refreshSoon()
    }

    /// A replica of whoever has the key of `command`.
    func replica(for command: RedisCommand) -> RedisNode? { node(for: command).replicas?.next() }
}
