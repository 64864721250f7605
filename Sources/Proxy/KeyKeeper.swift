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
        /// What was taken for a URL and is none.
        case unusable

        var isFile: Bool { if case .file = self { true } else { false } }
        var isUnusable: Bool { if case .unusable = self { true } else { false } }
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
    ///   - settings: Where keys come from.
    ///   - former: The one before a reload, if there was one: what it has fetched is used on, until it is time
    ///     to fetch again. It must be stopped before this one is started.
    ///   - world: Files, fetches and the log.
    ///   - loop: The loop of the calling thread; everything happens on it.
    ///   - seed: Spreads the times of fetches.
    public init(
        _ settings: IdentitySettings, after former: KeyKeeper? = nil, world: KeyWorld,
        loop: EventLoop, seed: UInt64
    ) {
        let known = former?.urls ?? []
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
                guard let url = FetchURL(url) else {
                    sources.append(.unusable)
                    continue
                }
                sources.append(.url(known.first { $0.url == url } ?? KeyURL(url, loop)))
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

    /// Reads all files and returns their keys, the secrets and what was fetched before; URLs are fetched from
    /// `start` on.
    ///
    /// - Throws: What is wrong with the first file that cannot be read or is not right, or that a URL is none.
    public func load() throws(KeyProblem) -> CredentialKeys {
        // Not shown: it may hold a password.
        if sources.contains(where: \.isUnusable) {
            throw KeyProblem(
                source: "identity.jwt.keys",
                reason: "a `jwks` that is not http(s)://host[:port]/path, without user or fragment")
        }
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
        let tokens = sources.flatMap { source -> [TokenKey] in
            switch source {
            case .secret(let key): [key]
            case .file(let file): file.content ?? []
            case .url(let url): url.keys ?? []
            case .unusable: []
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

    /// Fetches the sets that were never fetched, within the time of one fetch. A reload calls it before the new
    /// settings are followed, so that no token is refused for a key that is only on its way.
    public func fetchFirst() async {
        let new = urls.filter { !$0.wasAsked }
        let all = Waiter(loop)
        var missing = new.count
        for url in new {
            loop.start { [self] in
                _ = await fetch(url)
                missing -= 1
                all.wake()
            }
        }
        while missing > 0 { _ = await all.wait(until: .never) }
    }

    private func keepFetched(_ url: KeyURL) async {
        while !isStopped {
            if loop.now < url.due {
                _ = await url.waiter.wait(until: url.due)
                continue
            }
            let isChanged = await fetch(url)
            if isChanged { await handOver() }
            // Ready only once the workers have the keys.
            report()
        }
    }

    /// Fetches one set; whether its keys have changed.
    private func fetch(_ url: KeyURL) async -> Bool {
        url.begin(at: loop.now)
        let answer = await world.fetch(url.url, loop.now + Bounds.keyFetchTime)
        if isStopped { return false }
        let (outcome, isNews) = url.take(answer, world.parseJWKS)
        url.plan(after: answer, at: loop.now, &random)
        let count = url.keys?.count ?? 0
        if isNews {
            switch outcome {
            case .same, .changed: world.note(.loaded(source: url.url.label, keys: count))
            case .bad(let problem): world.note(.kept(problem, keys: count))
            }
        }
        if case .changed = outcome { return true }
        return false
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
            case .unusable: break
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
