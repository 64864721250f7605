import Caching
import Config
import FoundationEssentials
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

private let environment = ["WEIR_ADMIN_TOKEN": "a-long-enough-token", "PORT": "8080"]

@Test func `the sample at the top loads, and is what the demo promises`() throws {
    let text = try #require(repositoryFile("proxy.yaml"))
    let loaded = try settings(text)
    #expect(loaded.limits.map(\.name) == ["health", "login", "signup", "analytics", "sync"])
    #expect(loaded.routes.filter { $0.cache != nil }.map(\.match.path) == ["/api/analytics/**"])
    #expect(loaded.routes.first { $0.cache != nil }?.cache?.ttl == .seconds(300))
    #expect(loaded.admin != nil && loaded.admin?.token == nil)
    #expect(load(Configuration.longForm(loaded)) == .success(loaded))
}

@Test(arguments: ["docs/configuration.md", "README.md", "docs/limits.md"])
func `every YAML example of the manual loads`(path: String) throws {
    guard let markdown = repositoryFile(path) else {
        #expect(path != "docs/configuration.md")
        return
    }
    let blocks = yamlBlocks(markdown)
    #expect(!blocks.isEmpty)
    for block in blocks {
        let loaded = try settings(completed(block), environment)
        let long = Configuration.longForm(loaded)
        #expect(load(long, environment) == .success(loaded), "\(block)")
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
        force_ttl stale_while_revalidate stale_if_error vary_by ignore_query negative tags methods path name
        host strip_prefix timeout auth idempotency invalidates header_bytes fields target_bytes body_bytes
        request_timeout idle_timeout connections dialects x_ratelimit_reset format level sample drain
        """
    for key in keys.split(whereSeparator: \.isWhitespace) {
        let isNamed = markdown.contains("`\(key)`")
        #expect(isNamed, "\(key)")
    }
}

@Test func `a damaged sample is loaded or refused, and never stops the process`() throws {
    let sample = Array(try #require(repositoryFile("proxy.yaml")).utf8)
    let spice = Array("[]{}:,-*&!|>'\"%@`~# \n\t$0a/\\".utf8)
    var random = SeededRandom(seed: 23)
    var refused = 0
    for _ in 0..<1000 {
        var bytes = sample
        for _ in 0...random.below(4) {
            let place = random.below(bytes.count)
            let length = min(random.below(12), bytes.count - place)
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
        switch Configuration.load(bytes, file: "f", environment: [:], processors: 1) {
        case .success(let loaded):
            #expect(load(Configuration.longForm(loaded)) == .success(loaded))
        case .failure(let failure):
            refused += 1
            #expect(!failure.problems.isEmpty && failure.description.hasSuffix("nothing started\n"))
        }
    }
    #expect(refused > 200 && refused < 1000)
}
