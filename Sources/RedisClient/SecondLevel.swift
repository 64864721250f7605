public import Caching
import EventLoop
public import HTTPModel
public import Primitives
import RedisWire
import Settings

/// The second level of the cache: stored answers in Redis, as one worker reads and writes them.
///
/// Reading waits, for one deadline at most; nothing waits for writing. What is written, and whether what is read may be
/// used, is decided in Caching.
public final class SecondLevel {
    /// What was found.
    public enum Found: Sendable {
        /// An answer; whether it is of use is still to be seen (`SharedAnswer.use`).
        case answer(SharedAnswer)
        /// Nothing that can be used.
        case nothing
        /// Nobody knows: Redis has not answered, or is not asked. That is no miss.
        case unavailable
    }

    /// What a replica was good for.
    public enum ReplicaAnswer: Sendable {
        /// What it had was served.
        case hit
        /// It had nothing of use; its master is asked.
        case nothing
        /// None could be asked, or none answered; the master is asked.
        case failed
    }

    /// Which server is asked.
    public enum Source: Sendable {
        /// The one that takes the writes: what is not there is nowhere.
        case master
        /// One that follows it: what is there may be old, and what is not there may be on its way.
        case replica
    }

    /// The connection to Redis.
    public let client: RedisClient
    /// What happened so far.
    public internal(set) var counts = SecondLevelCounts()
    let namespace: [UInt8]
    /// Tells holders of leases apart.
    var random: SeededRandom
    /// Who waits for another process's answer.
    let waiting: LeaseWaiters
    /// Whether replicas are asked before their master.
    public let readsReplicas: Bool

    /// The second level in the Redis of `client`; `random` must not be the same in two processes.
    public init(_ client: RedisClient, random: SeededRandom) {
        self.client = client
        self.random = random
        namespace = Array(client.settings.namespace.utf8)
        readsReplicas = client.settings.readsFromReplicas
        waiting = LeaseWaiters(
            client, channel: "\(client.settings.namespace):c:ended/\(client.settings.database)")
        if readsReplicas { client.followReplicas() }
    }

    /// Closes what it has opened besides the client.
    public func close() { waiting.close() }

    /// Whether it is worth asking.
    public var isAvailable: Bool { client.isAvailable }

    // MARK: Reading

    /// When a replica that is asked now has had its part of the time; with its master the whole takes no longer than
    /// without replicas.
    public var replicaDeadline: MonotonicTime {
        client.loop.now + Nanoseconds(client.settings.timeout.count / Bounds.replicaShare)
    }

    /// Looks for the answer to `request`; for one that varies that is a second question.
    ///
    /// - Parameters:
    ///   - key: The cache key.
    ///   - request: The request, whose fields choose a variant.
    ///   - scope: What the key does not say.
    ///   - source: Which server is asked.
    ///   - deadline: When it must be over.
    /// - Returns: What is there.
    public func find(
        key: [UInt8], for request: borrowing RequestHead, scope: UInt64, in source: Source,
        until deadline: MonotonicTime
    ) async -> Found {
        guard isAvailable else { return .unavailable }
        var name = SharedKey.name(of: key.span, namespace: namespace)
        do throws(RedisError) {
            var isVariant = false
            while let value = try await get(name, in: source, until: deadline) {
                switch SharedForm.read(value.span, at: client.loop.clock, scope: scope) {
                case .answer(let answer): return .answer(answer)
                case .names(let names) where !isVariant:
                    let variant = VariantKey(names: names, request: request.fields)
                    name = SharedKey.name(of: key.span, variant: variant, namespace: namespace)
                    isVariant = true
                    continue
                case .names: counts.unusable += 1
                case .unusable: counts.unusable += 1
                }
                return .nothing
            }
            return .nothing
        } catch {
            return .unavailable
        }
    }

    private func get(
        _ name: [UInt8], in source: Source, until deadline: MonotonicTime
    ) async throws(RedisError) -> [UInt8]? {
        var command = RedisCommand("GET", reserving: name.count + 16)
        command.append(key: name)
        let reply =
            switch source {
            case .master: try await client.call(command, until: deadline)
            case .replica: try await client.callReplica(command, until: deadline)
            }
        if case .null = reply { return nil }
        return reply.bytes
    }

    /// Counts what became of a question.
    public func note(_ use: SharedAnswer.Use) {
        switch use {
        case .serve: counts.hits += 1
        case .validate, .serveStale: counts.stale += 1
        case .none: counts.misses += 1
        }
    }

    /// Counts what became of a question to a replica.
    public func note(_ answer: ReplicaAnswer) {
        switch answer {
        case .hit: counts.replicaHits += 1
        case .nothing: counts.replicaMisses += 1
        case .failed: counts.replicaFailures += 1
        }
    }

    /// Counts a question that nobody could answer.
    public func noteUnavailable() { counts.unavailable += 1 }

    /// Counts a wait for another process's answer.
    public func noteWait() { counts.waits += 1 }

    // MARK: Writing

    /// Puts `stored` into Redis, if it may and there is room on the way; nothing waits for it.
    ///
    /// - Parameters:
    ///   - stored: The answer.
    ///   - scope: What its key does not say.
    ///   - position: How far purges were followed when the origin was asked.
    /// - Returns: Whether it is on its way.
    @discardableResult
    public func put(_ stored: StoredResponse, scope: UInt64, position: PurgePosition) -> Bool {
        let head = stored.head
        guard isAvailable, head.key.count <= CacheBounds.purgeBytes,
            stored.bodyCount <= CacheBounds.sharedBytes,
            let lifetime = stored.sharedLifetime(at: client.loop.now),
            let form = SharedForm.write(
                stored, at: client.loop.clock, scope: scope, position: position.word)
        else {
            counts.notWritten += 1
            return false
        }
        let key = head.key
        var isSent = true
        if !head.variant.names.isEmpty {
            isSent = set(
                SharedKey.name(of: key.span, namespace: namespace),
                SharedForm.write(names: head.variant.names),
                for: max(lifetime, CacheBounds.sharedNamesMin))
        }
        let name = SharedKey.name(of: key.span, variant: head.variant, namespace: namespace)
        isSent = isSent && set(name, form, for: lifetime)
        if isSent {
            counts.written += 1
            enlist(name, of: head, for: lifetime)
        } else {
            counts.notWritten += 1
        }
        return isSent
    }

    private func set(_ name: [UInt8], _ value: [UInt8], for lifetime: Nanoseconds) -> Bool {
        var command = RedisCommand("SET", reserving: name.count + value.count + 64)
        command.append(key: name)
        command.append(value)
        command.append("PX")
        command.append(Int64(clamping: max(lifetime.wholeMilliseconds, 1)))
        return client.send(command)
    }
}
