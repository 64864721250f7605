/// The exit statuses, as sysexits.h has them.
enum ExitStatus {
    /// The command line is wrong.
    static let usage: Int32 = 64
    /// A server that the configuration names cannot be used.
    static let unavailable: Int32 = 69
    /// The system refused something: an address, a descriptor; or a running process did.
    static let system: Int32 = 71
    /// The configuration is wrong: nothing was started.
    static let configuration: Int32 = 78
    /// A second signal ended the process before its requests had ended.
    static let cutOff: Int32 = 1
}

/// What the command line asks for.
enum Command: Equatable {
    case run(file: String)
    case check(file: String, prints: Bool, connects: Bool)
    case explain(ExplainCommand)
    case purge(PurgeCommand)
    case cache(CacheCommand)
    case demo(address: String)
    case version
    case help
    case misused(String)

    static let versionNumber = "0.1.0"

    static let usage = """
        Usage:
          weir run [FILE]              start the proxy with FILE (default: proxy.yaml)
          weir check [FILE] [--print] [--connect]
                                       check FILE; with --print, show it with every default written out;
                                       with --connect, try its upstreams and its Redis
          weir explain --request 'GET /path' [--header 'Name: value']… [--ip ADDR] [--json]
              [--config FILE]          what becomes of a request, and why (default: proxy.yaml)
              [--admin URL [--token T]]  the same, asked of the running process
          weir purge (--url U | --tag T | --group 'HOST NAME' | --prefix P | --glob G | --user U |
              --company C | --all) [--soft] [--admin URL [--token T]]
                                       make what is stored in a running process leave, or stale
          weir cache [stats | key URL | bypass on|off [--for 30m] | ttl FACTOR [--for 30m]]
              [--admin URL [--token T]]
                                       what its cache has, does and is told to do (default: http://127.0.0.1:9900)
          weir demo [--listen ADDR]    start a demo origin (default: 127.0.0.1:8000)
          weir --version

        Exit status: 0 well, 64 wrong arguments, 69 a server cannot be used (check --connect), 71 the system or
        the running process refused, 78 wrong configuration.

        """

    private static let later = ["replay"]

    /// Reads the arguments after the program's name.
    static func parse(_ arguments: [String]) -> Command {
        guard let first = arguments.first else { return .help }
        let rest = Array(arguments.dropFirst())
        if rest.contains("--help") || rest.contains("-h") { return .help }
        switch first {
        case "--version", "-V", "version": return .version
        case "--help", "-h", "help": return .help
        case "run": return parseRun(rest)
        case "check": return parseCheck(rest)
        case "explain":
            switch ExplainCommand.parse(rest) {
            case .success(let command): return .explain(command)
            case .failure(let problem): return .misused(problem.text)
            }
        case "purge":
            switch PurgeCommand.parse(rest) {
            case .success(let command): return .purge(command)
            case .failure(let problem): return .misused(problem.text)
            }
        case "cache":
            switch CacheCommand.parse(rest) {
            case .success(let command): return .cache(command)
            case .failure(let problem): return .misused(problem.text)
            }
        case "demo": return parseDemo(rest)
        case let name where later.contains(name):
            return .misused("`\(name)` is not available in this version")
        default: return .misused("unknown command `\(first)`")
        }
    }

    private static func parseRun(_ rest: [String]) -> Command {
        if let flag = rest.first(where: { $0.hasPrefix("-") }) {
            return .misused("unknown option `\(flag)`")
        }
        guard rest.count <= 1 else { return .misused("`run` takes one file") }
        return .run(file: rest.first ?? "proxy.yaml")
    }

    private static func parseCheck(_ rest: [String]) -> Command {
        let files = rest.filter { $0 != "--print" && $0 != "--connect" }
        if let flag = files.first(where: { $0.hasPrefix("-") }) {
            return .misused("unknown option `\(flag)`")
        }
        guard files.count <= 1 else { return .misused("`check` takes one file") }
        return .check(
            file: files.first ?? "proxy.yaml", prints: rest.contains("--print"),
            connects: rest.contains("--connect"))
    }

    private static func parseDemo(_ rest: [String]) -> Command {
        switch rest.count {
        case 0: return .demo(address: "127.0.0.1:8000")
        case 2 where rest[0] == "--listen": return .demo(address: rest[1])
        default: return .misused("`demo` takes `--listen ADDR` and nothing else")
        }
    }
}
