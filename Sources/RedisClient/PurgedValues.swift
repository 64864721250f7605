public import Caching
import EventLoop
import Primitives
import RedisWire

/// Gives back the memory of purged answers in Redis, behind the purges and a few at a time.
///
/// Records alone decide that an answer is dead (`PurgeHistory`); what was stored since is left alone.
///
///     tag, group   ZSCAN of its set ──┐
///                                     ├─► the beginning of each value: dead? ──► UNLINK
///     anything     SCAN of each       ┘
///     else         master in turn
///
/// After an error it goes on where it was, some times; then it is a failure, after the other servers were walked over.
public struct PurgedValues {
    /// How it ended.
    public enum End: Sendable, Equatable {
        /// All that could be found is gone.
        case done
        /// Redis, or a server of the cluster, did not answer.
        case failed
        /// It was to stop.
        case stopped
    }

    /// How far it has come.
    public struct Progress: Sendable, Equatable {
        /// Names that were looked at.
        public var seen: UInt64 = 0
        /// Those of them that were removed.
        public var freed: UInt64 = 0
        /// Servers that were walked over.
        public var walked = 0
        /// How many there are; 0 for a set.
        public var servers = 0

        /// Nothing yet.
        public init() {}
    }

    /// What is walked over.
    private enum Ground {
        /// The members of a set, which all have these tags.
        case set([UInt8], CacheTags)
        /// All names of a server.
        case server(RedisNode)
    }

    private let second: SecondLevel
    private let history: PurgeHistory
    private let isStopped: () -> Bool
    private let note: (Progress) -> Void
    private var progress = Progress() { didSet { note(progress) } }
    /// Errors in a row.
    private var failures = 0
    private var random: SeededRandom

    /// Prepares to free what `history` says is dead.
    ///
    /// - Parameters:
    ///   - second: The way to Redis.
    ///   - history: The purges.
    ///   - isStopped: Is asked before each step.
    ///   - note: Is told how far it has come.
    public init(
        in second: SecondLevel, by history: PurgeHistory, isStopped: @escaping () -> Bool,
        note: @escaping (Progress) -> Void
    ) {
        self.second = second
        self.history = history
        self.isStopped = isStopped
        self.note = note
        random = SeededRandom(seed: second.random.next())
    }

    private var client: RedisClient { second.client }

    /// Frees what is dead in `remains`.
    public mutating func free(_ remains: PurgeRemains) async -> End {
        switch remains {
        case .tag(let value), .group(let value):
            let set = SharedKey.set(of: value, namespace: second.namespace)
            return await walk(over: .set(set, remains.tags))
        case .anywhere: return await walkAll()
        }
    }

    // MARK: Walks

    /// Walks over all masters, those too that become one meanwhile.
    private mutating func walkAll() async -> End {
        var walked: [RedisNode] = []
        var end = End.done
        while true {
            let masters = client.masters
            let left = masters.filter { master in !walked.contains { $0 === master } }
            guard let next = left.first else {
                // Of a cluster that is not known yet there are none.
                if !walked.isEmpty { return end }
                if let end = await pauseAfterFailure() { return end }
                continue
            }
            progress.servers = walked.count + left.count
            switch await walk(over: .server(next)) {
            case .done: progress.walked += 1
            case .failed: end = .failed
            case .stopped: return .stopped
            }
            failures = 0
            walked.append(next)
        }
    }

    /// Takes step after step, each from where the one before it has ended, until the first place comes again.
    private mutating func walk(over ground: Ground) async -> End {
        let start = Array("0".utf8)
        var cursor = start
        while !isStopped() {
            do throws(RedisError) {
                cursor = try await step(over: ground, from: cursor)
                failures = 0
                if cursor == start { return .done }
                await client.loop.sleep(for: Bounds.scanPause)
            } catch {
                // A master that is none any more has nothing; who took its place is walked over, too.
                if case .server(let node) = ground, !client.masters.contains(where: { $0 === node })
                {
                    return .done
                }
                if let end = await pauseAfterFailure() { return end }
            }
        }
        return .stopped
    }

    private mutating func step(
        over ground: Ground, from cursor: [UInt8]
    ) async throws(RedisError) -> [UInt8] {
        switch ground {
        case .set(let set, let tags): try await step(through: set, tags, from: cursor)
        case .server(let node): try await step(over: node, from: cursor)
        }
    }

    /// Waits before another attempt; how it ends, if there is to be none.
    private mutating func pauseAfterFailure() async -> End? {
        failures += 1
        guard failures < Bounds.freeAttempts else { return .failed }
        await client.loop.sleep(for: RedisConnector.pause(after: failures, &random))
        return isStopped() ? .stopped : nil
    }

    // MARK: Steps

    /// Frees what is dead among some members of a set, which are taken out of it; returns where to go on.
    private mutating func step(
        through set: [UInt8], _ tags: CacheTags, from cursor: [UInt8]
    ) async throws(RedisError) -> [UInt8] {
        var scan = RedisCommand("ZSCAN")
        scan.append(key: set)
        scan.append(cursor)
        scan.append("COUNT")
        scan.append(Int64(Bounds.scanStep))
        let reply = try await client.call(scan, until: client.deadline)
        let (next, found) = try PurgedValues.parts(of: reply)
        // Each is followed by when its time is over.
        let names = stride(from: 0, to: found.count, by: 2).map { found[$0] }
        let leaving = try await free(names, tags, keepingVaryRecords: true)
        guard !leaving.isEmpty else { return next }
        var remove = RedisCommand("ZREM", reserving: leaving.reduce(64) { $0 + $1.count + 12 })
        remove.append(key: set)
        for name in leaving { remove.append(name) }
        _ = try await client.call(remove, until: client.deadline)
        return next
    }

    /// Frees what is dead of some names at `master`; returns where to go on.
    private mutating func step(
        over master: RedisNode, from cursor: [UInt8]
    ) async throws(RedisError) -> [UInt8] {
        var scan = RedisCommand("SCAN")
        scan.append(cursor)
        scan.append("MATCH")
        // A namespace has no character that is special in a pattern.
        scan.append(second.namespace + Array(":c:{*".utf8))
        scan.append("COUNT")
        scan.append(Int64(Bounds.scanStep))
        let reply = try await client.call(scan, at: master, until: client.deadline)
        let (next, names) = try PurgedValues.parts(of: reply)
        _ = try await free(names, CacheTags(), keepingVaryRecords: false)
        return next
    }

    private static func parts(
        of reply: RedisReply
    ) throws(RedisError) -> (next: [UInt8], found: [[UInt8]]) {
        guard let parts = reply.elements, parts.count == 2, let next = parts[0].bytes,
            let found = parts[1].elements
        else { throw .malformed }
        return (next, found.compactMap(\.bytes))
    }

    /// Removes the dead ones of `names`.
    ///
    /// - Returns: Those of which nothing is there now.
    private mutating func free(
        _ names: [[UInt8]], _ tags: CacheTags, keepingVaryRecords: Bool
    ) async throws(RedisError) -> [[UInt8]] {
        var known: [(name: [UInt8], key: [UInt8])] = []
        for (index, name) in names.enumerated() {
            // There may be a thousand patterns to compare it with.
            if index % 16 == 15 { await Task.yield() }
            if let key = SharedKey.key(of: name.span, namespace: second.namespace),
                // Most names no purge may mean, whatever lies there.
                history.isDead(key: key, tags: tags, at: nil)
            {
                known.append((name, key))
            }
        }
        let commands = known.map { name, _ in
            var command = RedisCommand("GETRANGE", reserving: name.count + 32)
            command.append(key: name)
            command.append(0)
            command.append(Int64(SharedForm.beginningCount - 1))
            return command
        }
        var gone: [[UInt8]] = []
        var dead: [[UInt8]] = []
        let results = await client.results(of: commands, until: client.deadline)
        for (result, (name, key)) in zip(results, known) {
            // What is no string is not ours.
            if case .failure(.server(let error)) = result, !error.isAboutServer { continue }
            guard let bytes = try result.get().bytes else { continue }
            switch SharedForm.readBeginning(bytes.span) {
            case .none: gone.append(name)
            case .answer(let position):
                if history.isDead(key: key, tags: tags, at: position) { dead.append(name) }
            case .names: if !keepingVaryRecords { dead.append(name) }
            case .foreign: dead.append(name)
            case .otherVersion: break
            }
        }
        let freed = try await client.unlink(dead, until: client.deadline)
        second.counts.freed += UInt64(freed)
        progress.seen += UInt64(names.count)
        progress.freed += UInt64(freed)
        return gone + dead
    }
}
