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

    /// The connection to Redis.
    public let client: RedisClient
    /// What happened so far.
    public internal(set) var counts = SecondLevelCounts()
    let namespace: [UInt8]
    /// Tells holders of leases apart.
    var random: SeededRandom
    /// Who waits for another process's answer.
    let waiting: LeaseWaiters

    /// The second level in the Redis of `client`; `random` must not be the same in two processes.
    public init(_ client: RedisClient, random: SeededRandom) {
        self.client = client
        self.random = random
        namespace = Array(client.settings.namespace.utf8)
        waiting = LeaseWaiters(
            client, channel: "\(client.settings.namespace):c:ended/\(client.settings.database)")
    }

    /// Closes what it has opened besides the client.
    public func close() { waiting.close() }

    /// Whether it is worth asking.
    public var isAvailable: Bool { client.isAvailable }

    // MARK: Reading

    /// Looks for the answer to `request`; for one that varies that is a second question.
    ///
    /// - Parameters:
    ///   - key: The cache key.
    ///   - request: The request, whose fields choose a variant.
    ///   - scope: What the key does not say.
    /// - Returns: What is there, within the time that an answer of Redis may take.
    public func find(
        key: [UInt8], for request: borrowing RequestHead, scope: UInt64
    ) async -> Found {
        guard isAvailable else { return .unavailable }
        let deadline = client.deadline
        var name = SharedKey.name(of: key.span, namespace: namespace)
        do throws(RedisError) {
            var isVariant = false
            while let value = try await get(name, until: deadline) {
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
        _ name: [UInt8], until deadline: MonotonicTime
    ) async throws(RedisError) -> [UInt8]? {
        var command = RedisCommand("GET", reserving: name.count + 16)
        command.append(key: name)
        let reply = try await client.call(command, until: deadline)
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

/// What a second level has done.
public struct SecondLevelCounts: Sendable, Equatable {
    /// Answers that were served.
    public var hits: UInt64 = 0
    /// Stale answers, good for asking the origin about.
    public var stale: UInt64 = 0
    /// Nothing that was of use.
    public var misses: UInt64 = 0
    /// Questions without an answer: Redis was away or too slow, or purges may have been missed.
    public var unavailable: UInt64 = 0
    /// Values that are damaged, of another version or of other processes' meaning; among the misses, too.
    public var unusable: UInt64 = 0
    /// Answers that were sent to Redis.
    public var written: UInt64 = 0
    /// Answers that were not: too large, of no use to others, or too much was on the way.
    public var notWritten: UInt64 = 0

    /// Answers that purges had made dead, and whose memory was given back.
    public var freed: UInt64 = 0

    /// Leases that were taken.
    public var leases: UInt64 = 0
    /// Fetches that waited for another process's answer.
    public var waits: UInt64 = 0

    /// Nothing yet.
    public init() {}

    /// Adds another worker's.
    public mutating func merge(_ other: SecondLevelCounts) {
        hits &+= other.hits
        stale &+= other.stale
        misses &+= other.misses
        unavailable &+= other.unavailable
        unusable &+= other.unusable
        written &+= other.written
        notWritten &+= other.notWritten
        freed &+= other.freed
        leases &+= other.leases
        waits &+= other.waits
    }
}
