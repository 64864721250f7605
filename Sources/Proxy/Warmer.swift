import Caching
public import EventLoop
import Primitives
import RedisClient
public import Settings

/// Keeps count of popular keys, and hands in what is to be fetched before anybody asks for it.
///
/// It lives on a thread that is not a worker's. Once an interval it takes the hits of all stored answers, writes the
/// popular keys to their file and hands in some of them by chance; the queue fetches.
public final class Warmer {
    private let server: ProxyServer
    private let loop: EventLoop
    private let world: WarmWorld
    private var random: SeededRandom
    private var settings: WarmSettings?
    private var popularity = Popularity()
    private var waiter: Waiter
    private var failedToWrite = false

    /// Prepares to warm the cache of `server` from tasks of `loop`, the calling thread's.
    public init(_ server: ProxyServer, world: WarmWorld, loop: EventLoop, seed: UInt64) {
        self.server = server
        self.loop = loop
        self.world = world
        random = SeededRandom(seed: seed)
        waiter = Waiter(loop)
    }

    /// Begins: the URLs, then the keys that were popular in an earlier process.
    public func start(_ settings: WarmSettings?) {
        self.settings = settings
        guard let settings else { return }
        if settings.atStart { server.shared.background.add(settings.urls, .start) }
        if let file = settings.file, settings.top > 0 { restore(file) }
        guard settings.top > 0 else { return }
        let waiter = waiter
        loop.start { [self] in await watch(settings, waiter) }
        if let shared = world.shared { loop.start { [self] in await recall(shared, waiter) } }
    }

    /// Follows another configuration. What was counted stays.
    public func follow(_ new: WarmSettings?) {
        guard new != settings else { return }
        waiter.abort()
        waiter = Waiter(loop)
        start(new)
    }

    /// Counts once more and writes the file, before the process ends.
    public func stop() async {
        waiter.abort()
        guard let settings, settings.top > 0 else { return }
        await count()
        save(settings)
        self.settings = nil
    }

    // MARK: Intervals

    private func watch(_ settings: WarmSettings, _ waiter: Waiter) async {
        var due = loop.now + settings.interval
        while true {
            switch await waiter.wait(until: due) {
            case .aborted: return
            case .ready: continue
            case .timedOut: break
            }
            due = loop.now + settings.interval
            await count()
            if self.settings != settings { return }
            save(settings)
            refresh(settings)
        }
    }

    /// Takes the hits of all stored answers, a few under each lock and a shard at a time.
    private func count() async {
        let cache = server.shared.cache
        var all: [MemoryStore.Hits] = []
        for shard in 0..<cache.shardCount {
            var position: Int? = 0
            while position != nil {
                all += cache.takeHits(shard: shard, from: &position, step: Bounds.hitsStep)
            }
            if all.count > 2 * Bounds.seenKeys { Warmer.keepMost(&all) }
            // Health checks are answered on this loop too.
            await loop.sleep(for: .milliseconds(1))
        }
        Warmer.keepMost(&all)
        let hits = all.compactMap { hits in
            WarmKey(of: hits.head).map { (request: WarmRequest($0), count: UInt64(hits.count)) }
        }
        popularity.add(hits)
        if let shared = world.shared, let settings { await share(hits, shared, settings) }
    }

    // MARK: Redis

    /// Adds the hits of this interval to those of all processes.
    private func share(
        _ hits: [(request: WarmRequest, count: UInt64)], _ shared: SharedPopularity,
        _ settings: WarmSettings
    ) async {
        let most = hits.filter { $0.count > 0 }.sorted { $0.count > $1.count }
        guard !most.isEmpty else { return }
        await shared.add(
            most.prefix(Bounds.popularKeys).map {
                (PopularKeysFile.text(of: $0.request), $0.count)
            }, interval: settings.interval, fading: Popularity.fading)
    }

    /// Fetches what is popular in all processes, as soon as Redis says what that is.
    private func recall(_ shared: SharedPopularity, _ waiter: Waiter) async {
        for _ in 0..<Bounds.recallAttempts {
            if let found = await shared.top() {
                let keys = found.compactMap { request, score in
                    let text = String(decoding: request, as: UTF8.self)
                    return PopularKeysFile.request(in: text[...]).map {
                        (request: $0, score: score)
                    }
                }
                guard !keys.isEmpty, waiter === self.waiter else { return }
                popularity.restore(keys)
                world.note(.loaded(file: "redis", keys: keys.count))
                server.shared.background.add(keys.map(\.request), .popular)
                return
            }
            await loop.sleep(for: .seconds(1))
            if waiter !== self.waiter { return }
        }
    }

    private static func keepMost(_ hits: inout [MemoryStore.Hits]) {
        guard hits.count > Bounds.seenKeys else { return }
        hits.sort { $0.count > $1.count }
        hits.removeLast(hits.count - Bounds.seenKeys)
    }

    private func refresh(_ settings: WarmSettings) {
        guard settings.chance > 0 else { return }
        let chosen = popularity.top(settings.top).filter { _ in random.unit() <= settings.chance }
        server.shared.background.add(chosen.map(\.request), .refresh)
    }

    // MARK: The file

    private func restore(_ file: String) {
        let bytes: [UInt8]
        do {
            bytes = try world.read(file, Bounds.popularFile + 1)
        } catch {
            // The first start has none.
            if !error.isMissing { world.note(.ignored(file: file, reason: error.text)) }
            return
        }
        guard bytes.count <= Bounds.popularFile else {
            return world.note(.ignored(file: file, reason: "larger than 8 MiB"))
        }
        do {
            let keys = try PopularKeysFile.read(bytes)
            popularity.restore(keys)
            world.note(.loaded(file: file, keys: keys.count))
            server.shared.background.add(keys.map(\.request), .popular)
        } catch {
            let reason =
                switch error {
                case .foreign: "not written by this version of weir"
                case .damaged: "damaged"
                }
            world.note(.ignored(file: file, reason: reason))
        }
    }

    private func save(_ settings: WarmSettings) {
        guard let file = settings.file else { return }
        do {
            try world.write(file, PopularKeysFile.write(popularity.top(settings.top)))
            failedToWrite = false
        } catch {
            if !failedToWrite { world.note(.notWritten(file: file, reason: error.text)) }
            failedToWrite = true
        }
    }
}

extension WarmRequest {
    /// The request behind a stored answer.
    init(_ key: WarmKey) {
        self.init(
            host: key.host, target: key.target,
            fields: key.fields.map { Field(name: $0.name, value: $0.value) })
    }
}
