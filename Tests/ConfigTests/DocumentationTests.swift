import Caching
import Config
import FoundationEssentials
import Identity
import Limits
import Primitives
import Routes
import Settings
import Testing

/// A file of the repository, or `nil` when it is not there.
private func repositoryFile(_ path: String) -> String? {
    let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
    return try? String(contentsOfFile: "/\(root)/\(path)", encoding: .utf8)
}

/// The blocks of a Markdown text that are fenced as YAML.
private func yamlBlocks(_ markdown: String) -> [String] {
    var blocks: [String] = []
    var block: [Substring]?
    for line in markdown.split(separator: "\n", omittingEmptySubsequences: false) {
        if line.hasPrefix("```") {
            if let lines = block { blocks.append(lines.joined(separator: "\n") + "\n") }
            block = block == nil && line == "```yaml" ? [] : nil
        } else {
            block?.append(line)
        }
    }
    return blocks
}

/// A part of a file, completed with what every file must have.
private func completed(_ block: String) -> String {
    var text = block
    let keys = block.split(separator: "\n").filter {
        $0.first.map { $0 != " " && $0 != "#" } ?? false
    }
    if !keys.contains(where: { $0.hasPrefix("listen:") }) { text += "listen: 127.0.0.1:8080\n" }
    if !keys.contains(where: { $0.hasPrefix("upstream") }) {
        text += "upstream: http://127.0.0.1:8000\n"
    }
    return text
}

private let environment = [
    "WEIR_ADMIN_TOKEN": "a-long-enough-token", "PORT": "8080",
    "JWT_SECRET": "a secret of at least 32 bytes, as HS256 needs it",
]

@Test func `the sample at the top loads, and is what the demo promises`() throws {
    let text = try #require(repositoryFile("proxy.yaml"))
    let loaded = try settings(text)
    #expect(loaded.limits.map(\.name) == ["health", "login", "signup", "analytics", "sync"])
    #expect(loaded.routes.filter { $0.cache != nil }.map(\.match.path) == ["/api/analytics/**"])
    #expect(loaded.routes.first { $0.cache != nil }?.cache?.ttl == .seconds(300))
    #expect(loaded.admin != nil && loaded.admin?.token == nil)
    #expect(load(Configuration.longForm(loaded)) == .success(loaded))
}

@Test(arguments: [
    "docs/configuration.md", "README.md", "docs/limits.md", "docs/cache.md", "docs/warming.md",
    "docs/idempotency.md", "docs/purge.md", "docs/redis.md",
])
func `every YAML example of the manual loads`(path: String) throws {
    guard let markdown = repositoryFile(path) else {
        #expect(path != "docs/configuration.md")
        return
    }
    let blocks = yamlBlocks(markdown)
    #expect(!blocks.isEmpty)
    for block in blocks {
        if block.hasPrefix("keys:") {
            #expect(try !Configuration.apiKeys(Array(block.utf8), file: path).get().isEmpty)
            continue
        }
        let loaded = try settings(completed(block), environment)
        let long = Configuration.longForm(loaded)
        #expect(load(long, secrets(of: loaded)) == .success(loaded), "\(block)")
    }
}

@Test func `the manual names every key, those that are not available too`() throws {
    let markdown = try #require(repositoryFile("docs/configuration.md"))
    let keys = """
        listen admin limit_keys workers redis upstream upstreams identity limits cache routes http headers
        log tracing shutdown address tls proxy_protocol token health_on_main servers url weight balance pool
        size overflow wait recycle idle timeouts connect first_byte read_servers retries health breaker
        canary trusted_proxies ipv6_prefix user company tier jwt api_keys rate per algorithm burst
        sub_windows tiers anonymous mode concurrent overrides cost count on_redis_failure consistency phase
        max_delay memory max_object early_refresh collapse client_no_cache set_cookie stale warm ttl
        force_ttl stale_while_revalidate stale_if_error vary_by ignore_query only_query sort_query max_body max_answer required idempotency_memory negative tags methods path name
        host compression encodings min_size types level strip_prefix timeout auth idempotency invalidates header_bytes fields target_bytes body_bytes
        request_timeout idle_timeout connections dialects x_ratelimit_reset format level sample drain
        keys file jwks secret algorithms issuer audience leeway cookie header forwarded hit miss reserve
        retry_after_jitter sliding_log leaky_bucket bypass origin_ttl urls at top interval chance concurrency
        """
    for key in keys.split(whereSeparator: \.isWhitespace) {
        let isNamed = markdown.contains("`\(key)`")
        #expect(isNamed, "\(key)")
    }
}

@Test func `a damaged file is loaded or refused, and never stops the process`() throws {
    let markdown = try #require(repositoryFile("docs/configuration.md"))
    let sample = try #require(repositoryFile("proxy.yaml"))
    let samples = [sample] + yamlBlocks(markdown).map(completed)
    var random = SeededRandom(seed: 23)
    var refused = 0
    for round in 0..<1500 {
        let bytes = damaged(samples[round % samples.count], &random)
        switch Configuration.load(bytes, file: "f", environment: environment, processors: 1) {
        case .success(let loaded):
            #expect(load(Configuration.longForm(loaded), secrets(of: loaded)) == .success(loaded))
        case .failure(let failure):
            refused += 1
            #expect(!failure.problems.isEmpty && failure.description.hasSuffix("nothing started\n"))
        }
    }
    #expect(refused > 300 && refused < 1500)
}

@Test func `a damaged file of API keys is read or refused, and never stops the process`() throws {
    let markdown = try #require(repositoryFile("docs/configuration.md"))
    let sample = try #require(yamlBlocks(markdown).first { $0.hasPrefix("keys:") })
    var random = SeededRandom(seed: 24)
    var refused = 0
    for _ in 0..<500 {
        switch Configuration.apiKeys(damaged(sample, &random), file: "f") {
        case .success(let entries):
            #expect(entries.allSatisfy { $0.digest.count == 32 })
        case .failure(let failure):
            refused += 1
            #expect(!failure.problems.isEmpty)
        }
    }
    #expect(refused > 100 && refused < 500)
}

/// The bytes of `text` with a few of them changed, left out, added or repeated.
private func damaged(_ text: String, _ random: inout SeededRandom) -> [UInt8] {
    let spice = Array("[]{}:,-*&!|>'\"%@`~# \n\t$0a/\\".utf8)
    var bytes = Array(text.utf8)
    for _ in 0...random.below(4) {
        let place = random.below(bytes.count)
        let length = min(random.below(12), bytes.count - place - 1)
        switch random.below(5) {
        case 0: bytes[place] = UInt8(truncatingIfNeeded: random.next())
        case 1: bytes.insert(spice[random.below(spice.count)], at: place)
        case 2: bytes.removeSubrange(place..<(place + length))
        case 3:
            bytes.insert(
                contentsOf: Array(bytes[place..<(place + length)]), at: random.below(place + 1))
        default: bytes[place] = spice[random.below(spice.count)]
        }
    }
    return bytes
}
