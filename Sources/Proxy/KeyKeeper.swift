public import EventLoop
public import Identity
import Primitives
import Upstreams

/// Keeps the keys of credentials fresh: reads files when they change, fetches JWK sets again, and hands each new
/// set to `adopt`. What was good last is used until something better is there.
///
///     files ── looked at every second ──┐
///     URLs ─── every max-age, or when ──┼─→ CredentialKeys → adopt
///     secrets  a key is missing ────────┘
///
/// Lives on one loop, that of its tasks; not the data plane. Reading and parsing a large file of API keys holds
/// that loop up for a moment.
public final class KeyKeeper {
    private enum Source {
        case secret(TokenKey)
        case file(KeyFile<[TokenKey]>)
        case url(KeyURL)

        var isFile: Bool { if case .file = self { true } else { false } }
    }

    private let loop: EventLoop
    private let world: KeyWorld
    private let verifiesTokens: Bool
    private let sources: [Source]
    private let apiKeys: KeyFile<[APIKeyEntry]>?
    private var random: SeededRandom
    private var health: KeyHealth?
    private var adopt: (CredentialKeys) async -> Void = { _ in }
    private var isStopped = false
    private var isAdopting = false
    private var hasNews = false

    /// Prepares to keep the keys that `settings` names; nothing is read yet.
    ///
    /// - Parameters:
    ///   - settings: Where keys come from. A URL that is none never answers.
    ///   - world: Files, fetches and the log.
    ///   - loop: The loop of the calling thread; everything happens on it.
    ///   - seed: Spreads the times of fetches.
    public init(_ settings: IdentitySettings, world: KeyWorld, loop: EventLoop, seed: UInt64) {
        self.loop = loop
        self.world = world
        verifiesTokens = settings.jwt != nil
        random = SeededRandom(seed: seed)
        var sources: [Source] = []
        for key in settings.jwt?.keys ?? [] {
            switch key {
            case .pem(let file): sources.append(.file(Self.file(file, world.parsePEM)))
            case .jwks(let file): sources.append(.file(Self.file(file, world.parseJWKS)))
            case .remoteJWKS(let url):
                precondition(FetchURL(url) != nil)
                if let url = FetchURL(url) { sources.append(.url(KeyURL(url, loop))) }
            case .secret(let bytes): sources.append(.secret(.secret(bytes)))
            }
        }
        self.sources = sources
        apiKeys = settings.apiKeys.map { settings in
            KeyFile(settings.file, limit: Bounds.apiKeyFile) {
                world.parseAPIKeys($0, settings.file)
            }
        }
    }

    private static func file(
        _ path: String, _ parse: @escaping ([UInt8]) throws(TokenKeyError) -> [TokenKey]
    ) -> KeyFile<[TokenKey]> {
        KeyFile(path, limit: Bounds.keyFile) { bytes in
            do throws(TokenKeyError) {
                return .success(try parse(bytes))
            } catch {
                return .failure(KeyProblem(source: path, reason: "\(error.reason)"))
            }
        }
    }

    private var urls: [KeyURL] {
        sources.compactMap { if case .url(let url) = $0 { url } else { nil } }
    }

    /// Reads all files and returns their keys and the secrets; URLs are fetched from `start` on.
    ///
    /// - Throws: What is wrong with the first file that cannot be read or is not right.
    public func load() throws(KeyProblem) -> CredentialKeys {
        for case .file(let file) in sources {
            if case .bad(let problem) = file.look(world) { throw problem }
        }
        if let apiKeys, case .bad(let problem) = apiKeys.look(world) { throw problem }
        return keys
    }

    /// Begins to watch what `load` has read, and to fetch.
    ///
    /// - Parameters:
    ///   - health: Is told how the keys stand.
    ///   - wantsKeys: Asked once a second when there are URLs: whether a token named a key that is not known
    ///     since it was asked last.
    ///   - adopt: Takes each new set, one after the other.
    public func start(
        health: KeyHealth, wantsKeys: @escaping () async -> Bool,
        adopt: @escaping (CredentialKeys) async -> Void
    ) {
        self.health = health
        self.adopt = adopt
        report()
        let urls = urls
        for url in urls { loop.start { [self] in await keepFetched(url) } }
        if apiKeys != nil || sources.contains(where: \.isFile) {
            loop.start { [self] in await watchFiles() }
        }
        if !urls.isEmpty { loop.start { [self] in await watchWorkers(urls, wantsKeys) } }
    }

    /// Stops watching and fetching, and returns once no set is being handed over any more. A fetch that runs
    /// changes nothing.
    public func stop() async {
        isStopped = true
        for url in urls { url.waiter.wake() }
        while isAdopting { await loop.sleep(for: .milliseconds(1)) }
    }

    /// The newest set.
    public var keys: CredentialKeys {
        let tokens = sources.flatMap { source in
            switch source {
            case .secret(let key): [key]
            case .file(let file): file.content ?? []
            case .url(let url): url.keys ?? []
            }
        }
        return CredentialKeys(tokens: tokens, apiKeys: APIKeyTable(apiKeys?.content ?? []))
    }

    // MARK: Files

    private func watchFiles() async {
        while !isStopped {
            await loop.sleep(for: Bounds.keyFileInterval)
            guard !isStopped else { return }
            var isChanged = false
            for case .file(let file) in sources where look(at: file) { isChanged = true }
            if let apiKeys, look(at: apiKeys) { isChanged = true }
            guard isChanged else { continue }
            await handOver()
            report()
        }
    }

    /// Looks at one file; whether its keys have changed.
    private func look<Key>(at file: KeyFile<[Key]>) -> Bool {
        let outcome = file.look(world)
        let count = file.content?.count ?? 0
        switch outcome {
        case .same: return false
        case .changed:
            world.note(.loaded(source: file.path, keys: count))
            return true
        case .bad(let problem):
            world.note(.kept(problem, keys: count))
            report()
            return false
        }
    }

    // MARK: URLs

    private func keepFetched(_ url: KeyURL) async {
        while !isStopped {
            url.begin(at: loop.now)
            let answer = await world.fetch(url.url, loop.now + Bounds.keyFetchTime)
            if isStopped { return }
            let (outcome, isNews) = url.take(answer, world.parseJWKS)
            let count = url.keys?.count ?? 0
            if isNews {
                switch outcome {
                case .same, .changed: world.note(.loaded(source: url.url.label, keys: count))
                case .bad(let problem): world.note(.kept(problem, keys: count))
                }
            }
            let next = loop.now + url.pause(after: answer, &random)
            if case .changed = outcome { await handOver() }
            // Ready only once the workers have the keys.
            report()
            while !isStopped && loop.now < url.due(next) {
                _ = await url.waiter.wait(until: url.due(next))
            }
        }
    }

    /// A key that is not known may be one that the issuer has just begun to use.
    private func watchWorkers(_ urls: [KeyURL], _ wantsKeys: () async -> Bool) async {
        while !isStopped {
            await loop.sleep(for: Bounds.unknownKeyInterval)
            guard !isStopped, await wantsKeys() else { continue }
            for url in urls {
                url.isWanted = true
                url.waiter.wake()
            }
        }
    }

    // MARK: Outwards

    /// Hands the newest set over; never two at once, so that an older one cannot come last.
    private func handOver() async {
        hasNews = true
        if isAdopting { return }
        isAdopting = true
        while hasNews && !isStopped {
            hasNews = false
            await adopt(keys)
        }
        isAdopting = false
    }

    private func report() {
        var report = KeyHealth.Report(verifiesTokens: verifiesTokens)
        for source in sources {
            switch source {
            case .secret: report.tokenKeys += 1
            case .file(let file):
                report.tokenKeys += file.content?.count ?? 0
                if file.problem != nil { report.failingFiles += 1 }
            case .url(let url):
                report.tokenKeys += url.keys?.count ?? 0
                report.urls.append((url.url.authority + url.url.path, url.state))
            }
        }
        if apiKeys?.problem != nil { report.failingFiles += 1 }
        health?.set(report)
    }
}
