import Primitives
import Proxy
import TestKit

/// One world of a seed: what is configured, who is there, and what goes wrong.
struct Scenario {
    /// What may go wrong.
    enum Mood: String {
        /// Everybody behaves; the network is ragged, but loses nothing: every request is answered well.
        case strict
        /// Origins fail, clients leave and stall.
        case rude
        /// The network breaks as well.
        case hostile
    }

    let seed: UInt64
    let mood: Mood
    let ledger: Ledger
    let world: ProxyWorld
    private let limit: Int
    private let workers: Int

    init(seed: UInt64) throws {
        self.seed = seed
        let ledger = Ledger(seed: seed)
        self.ledger = ledger
        mood = [.strict, .rude, .hostile][Int(seed % 3)]
        limit = 2 + ledger.below(5)
        workers = 1 + ledger.below(2)
        var faults = mood == .hostile ? FaultPlan.hostile : .ragged
        faults.freezeTime = ledger.oneIn(2) ? .seconds(4) : .forever
        // A few seeds run on a network of larger pieces, for other interleavings in less time.
        if ledger.oneIn(2) { faults.window = 4096...(64 << 10) }
        if !ledger.oneIn(3) { faults.fragmentation = 0.02 }
        world = try ProxyWorld(
            Scenario.configuration(ledger, mood, limit: limit, workers: workers), seed: seed,
            faults: faults)
    }

    private static func configuration(
        _ ledger: Ledger, _ mood: Mood, limit: Int, workers: Int
    ) -> String {
        // Where a route stands does not matter, but for the last one.
        let first = ledger.oneIn(2) ? "\n  - {path: /never/**}" : ""
        let wait = mood == .strict ? "60s" : "3s"
        return """
            workers: \(workers)
            upstreams:
              default:
                servers: [http://10.2.0.1:8000, http://10.2.0.2:8000]
                pool: {size: \(1 + ledger.below(3)), overflow: \(ledger.below(3)), wait: \(wait), idle: 5s, recycle: \(ledger.pick(["2s", "1h"]))}
                timeouts: {connect: 2s, first_byte: 4s, idle: 5s}
            identity: {trusted_proxies: [10.4.0.0/16], user: header:X-User}
            limits:
              hourly: {rate: \(limit)/hour, per: global, algorithm: fixed_window}
            cache: {memory: 1MiB, early_refresh: \(ledger.pick(["off", "{beta: 1.0}", "{beta: 20}"]))}
            routes:\(first)
              - {path: /cached/**, cache: {ttl: 2s, stale_while_revalidate: 3s, stale_if_error: 6s, tags: [cached]}}
              - {path: /one/**, cache: {ttl: 2s}}
              - {path: /vary/**, cache: {ttl: 2s, tags: [vary]}}
              - {path: /nostore/**, cache: {ttl: 2s}}
              - {path: /mine/**, cache: {ttl: 2s, vary_by: [user], tags: [mine]}}
              - {path: /limited/**, limits: [hourly]}
              - {path: /**}
            http: {request_timeout: 5s, idle_timeout: 8s}
            """
    }

    /// In every other world the file is read again a few times: other pools and other places, the same
    /// promises.
    private func planReloads() throws {
        guard ledger.oneIn(2) else { return }
        let plan = (0...ledger.below(6)).map { _ in
            (
                after: ledger.milliseconds(2000),
                yaml: Scenario.configuration(ledger, mood, limit: limit, workers: workers)
            )
        }
        try world.reload(plan)
    }

    /// In every other world somebody purges now and then: what is asked for afterwards is never older.
    private func planPurges() {
        guard ledger.oneIn(2) else { return }
        let plan = (0...ledger.below(8)).map { _ in
            (after: ledger.milliseconds(1500), order: Purge.draw(from: ledger))
        }
        world.purge(plan) { [ledger] order, began, ended in
            ledger.tell("purge \(order.target) \(order.value) soft \(order.isSoft)")
            if !order.isSoft {
                ledger.purged(Purge(order: order, began: began, ended: ended))
            }
        }
    }

    /// Runs it to the end, and returns what must not have happened.
    func run() throws -> [String] {
        try begin()
        world.run()
        return verdict()
    }

    private func begin() throws {
        try planReloads()
        planPurges()
        let origin = RandomOrigin(ledger: ledger, fails: mood != .strict)
        for last: UInt32 in 1...2 {
            let address = SocketAddress.tcp(IPAddress(v4: 0x0A02_0000 + last), port: 8000)
            world.origin(at: address) { try await origin.serve($0) }
        }
        for number in 0..<(3 + ledger.below(6)) {
            let isTrusted = ledger.oneIn(2)
            let client = RandomClient(
                ledger: ledger, number: number, isTrusted: isTrusted,
                misbehaves: mood != .strict, isStrict: mood == .strict)
            let source = isTrusted ? ProxyWorld.trusted : ProxyWorld.client(number)
            world.client(from: source) { try await client.run($0) }
        }
        let network = world.world.network
        // The middle of an hour, and jumps that stay inside it.
        network.jumpWall(seconds: 1800)
        for _ in 0..<2 {
            let jump = Int64(ledger.below(1600)) - 800
            world.world.after(ledger.milliseconds(5000)) { network.jumpWall(seconds: jump) }
        }
        if mood != .strict && ledger.oneIn(4) {
            let world = world
            world.world.after(ledger.milliseconds(8000)) { _ = world.drain(within: .seconds(5)) }
        }
    }

    private func verdict() -> [String] {
        var found = world.problems(ofScripts: mood == .strict)
        found += ledger.violations
        if ledger.admitted > limit {
            found.append("\(ledger.admitted) requests admitted where \(limit) are the limit")
        }
        if mood == .strict && ledger.answers == 0 { found.append("nothing was answered") }
        return found.map { "\(world.world.network.replay) (\(mood.rawValue)): \($0)" }
    }
}
