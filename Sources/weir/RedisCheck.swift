import EventLoop
import Primitives
import RedisClient
import Settings

/// The part of `weir check --connect` about one Redis: its servers, who has which part among them, and what limits and
/// cache would meet there.
struct RedisCheck {
    private let check: ConnectCheck
    private let redis: RedisSettings
    private let name: String
    private let use: RedisUse
    private let inspection: RedisInspection

    /// Prepares a look at `redis`, which lines call `name`.
    init(_ check: ConnectCheck, _ redis: RedisSettings, _ name: String, _ use: RedisUse) {
        self.check = check
        self.redis = redis
        self.name = name
        self.use = use
        inspection = RedisInspection(redis, loop: check.loop)
    }

    /// Tries all that the configuration names and what is found by it; whether everything could be used.
    func run() async -> Bool {
        switch redis.topology {
        case .single(let place): await isWell(master: place)
        case .sentinel(let master, let sentinels): await isWell(sentinels, master)
        case .cluster(let places): await isWell(cluster: places)
        }
    }

    // MARK: Sentinels

    private func isWell(_ sentinels: [RedisSettings.Place], _ master: String) async -> Bool {
        var isWell = true
        var masters: [RedisSettings.Place] = []
        for sentinel in sentinels {
            do throws(RedisConnectFailure) {
                let facts = try await inspection.askSentinel(
                    at: sentinel, about: master, until: deadline)
                if !tell(facts, by: "sentinel \(text(of: sentinel))", master) { isWell = false }
                if let place = facts.master, !masters.contains(place) { masters.append(place) }
            } catch {
                say("sentinel \(text(of: sentinel))", "failed: \(error.text)")
                isWell = false
            }
        }
        if masters.count > 1 {
            let places = masters.map(text(of:)).joined(separator: ", ")
            say("sentinels", "failed: they name several masters of \(master): \(places)")
            isWell = false
        }
        for place in masters where await !self.isWell(master: place) { isWell = false }
        return isWell
    }

    private func tell(_ facts: RedisSentinelFacts, by title: String, _ name: String) -> Bool {
        guard let master = facts.master else {
            let others = facts.otherNames.sorted().joined(separator: ", ")
            say(
                title,
                "failed: it knows no master named \(name)"
                    + (others.isEmpty ? "" : "; it watches \(others)"))
            return false
        }
        say(
            title,
            "ok, the master of \(name) is \(text(of: master)), "
                + "\(count(facts.sentinels, "sentinel")), quorum \(facts.quorum), "
                + count(facts.replicas, "replica"))
        if facts.isDown { say(title, "warning: it counts this master as away") }
        if facts.quorum > facts.sentinels {
            say(
                title,
                "warning: so many sentinels are not there: no other server can become the master")
        }
        return true
    }

    // MARK: A cluster

    private func isWell(cluster places: [RedisSettings.Place]) async -> Bool {
        var isWell = true
        var layout: RedisLayout?
        for place in places {
            do throws(RedisConnectFailure) {
                if let found = try await inspection.layout(at: place, until: deadline) {
                    layout = layout ?? found
                } else {
                    say(text(of: place), "failed: \(RedisRisk.isNoCluster.text)")
                    isWell = false
                }
            } catch {
                say(text(of: place), "failed: \(error.text)")
                isWell = false
            }
        }
        guard let layout else { return false }
        if !tell(layout) { isWell = false }
        for master in layout.masters {
            let slots =
                "slots \(text(of: master.slots)), \(count(master.replicas.count, "replica"))"
            say(text(of: master.place), slots)
            if await !self.isWell(master: master.place, slots: master.slots, master.replicas) {
                isWell = false
            }
        }
        return isWell
    }

    private func tell(_ layout: RedisLayout) -> Bool {
        let replicas = layout.masters.reduce(0) { $0 + $1.replicas.count }
        let servers = "\(count(layout.masters.count, "master")), \(count(replicas, "replica"))"
        guard layout.missing.isEmpty else {
            say(
                "cluster",
                "failed: \(servers); nobody has the slots \(text(of: layout.missing)), and limits and "
                    + "answers there go without Redis")
            return false
        }
        guard layout.isWell else {
            say("cluster", "failed: \(servers); it counts itself as down")
            return false
        }
        say("cluster", "ok, \(servers), all slots are covered")
        return true
    }

    // MARK: Servers

    /// What `weir run` would need of a master, and of its replicas, where they are read from.
    private func isWell(
        master place: RedisSettings.Place, slots: [ClosedRange<Int>] = [],
        _ replicas: [RedisSettings.Place]? = nil
    ) async -> Bool {
        let title = text(of: place)
        var isWell = true
        do throws(RedisConnectFailure) {
            let found = try await inspection.look(at: place, until: deadline)
            tell(title, found.facts, found.roundTrip)
            for risk in found.facts.risks(for: use, under: redis) {
                say(title, "warning: \(risk.text)")
                if risk.isFatal { isWell = false }
            }
            if found.facts.isLoading {
                say(title, "failed: it still reads its data")
                return false
            }
            if let refusal = try await inspection.tryWork(
                at: place, slots: slots, until: deadline)
            {
                say(title, "failed: \(refusal.text)")
                return false
            }
            say(title, "ok, writes and scripts work")
            guard redis.readsFromReplicas, use.storesAnswers else { return isWell }
            let known =
                if let replicas { replicas } else {
                    try await inspection.replicas(of: place, until: deadline)
                }
            return await areWell(known, of: place) && isWell
        } catch {
            say(title, "failed: \(error.text)")
            return false
        }
    }

    private func areWell(
        _ replicas: [RedisSettings.Place], of master: RedisSettings.Place
    ) async -> Bool {
        if replicas.isEmpty {
            say(text(of: master), "warning: it has no replica; answers are read from it alone")
        }
        var areWell = true
        for replica in replicas {
            let title = "replica \(text(of: replica))"
            do throws(RedisConnectFailure) {
                let fault = try await inspection.tryReading(
                    at: replica, of: master, until: deadline)
                say(title, fault.map { "failed: \($0.text)" } ?? "ok, follows \(text(of: master))")
                if fault != nil { areWell = false }
            } catch {
                say(
                    title,
                    "failed: \(error.text); its master names it, and read_replicas would read from it"
                )
                areWell = false
            }
        }
        return areWell
    }

    private func tell(_ title: String, _ facts: RedisFacts, _ roundTrip: Nanoseconds) {
        var parts = ["Redis \(facts.version)", facts.mode, facts.role]
        if facts.replicas > 0 { parts.append(count(Int(clamping: facts.replicas), "replica")) }
        parts.append("answers in \(check.text(of: roundTrip))")
        say(title, "ok, \(parts.filter { !$0.isEmpty }.joined(separator: ", "))")
        let most = facts.memoryMax == 0 ? "all there is" : check.text(ofBytes: facts.memoryMax)
        say(
            title,
            "memory \(check.text(ofBytes: facts.usedMemory)) of \(most), "
                + "maxmemory-policy \(facts.memoryPolicy)")
        if roundTrip > redis.timeout {
            say(
                title,
                "warning: slower than redis.timeout; most requests would not wait for it")
        }
    }

    private var deadline: MonotonicTime {
        check.loop.now + min(redis.connectTimeout, ConnectCheck.patience)
    }

    // MARK: Words

    private func say(_ title: String, _ line: String) { check.say("\(name): \(title): \(line)") }

    private func count(_ number: Int, _ word: String) -> String {
        "\(number) \(word)\(number == 1 ? "" : "s")"
    }

    /// `0-5460, 7000`.
    private func text(of slots: [ClosedRange<Int>]) -> String {
        slots.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }
            .joined(separator: ", ")
    }

    private func text(of place: RedisSettings.Place) -> String {
        switch place {
        case .unix(let path): path
        case .host(let name, let port):
            name.contains(":") ? "[\(name)]:\(port)" : "\(name):\(port)"
        }
    }
}
