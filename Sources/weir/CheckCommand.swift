import Config
import EventLoop
import Settings

/// Reads a configuration file, or explains to people what is wrong with it and ends the process.
enum ConfigurationFile {
    static func load(_ file: String) -> ProxySettings {
        let bytes: [UInt8]
        do {
            bytes = try Host.readFile(file, limit: 1 << 20 + 1)
        } catch {
            Host.write("weir: cannot read \(file): \(error.text)\n", toError: true)
            Host.exit(ExitStatus.configuration)
        }
        switch Configuration.load(
            bytes, file: file, environment: Host.environment, processors: Host.processors)
        {
        case .success(let settings): return settings
        case .failure(let failure):
            Host.write(failure.description, toError: true)
            Host.exit(ExitStatus.configuration)
        }
    }
}

/// `weir check`: says whether a file is right, and with `--print` what it means.
struct CheckCommand {
    let file: String
    let prints: Bool

    func run() -> Never {
        let settings = ConfigurationFile.load(file)
        if prints {
            Host.write(Configuration.longForm(settings))
        } else {
            let routes = settings.routes.count
            let limits = settings.limits.count
            Host.write(
                "\(file): ok, \(routes) route\(routes == 1 ? "" : "s"), \(limits) limit\(limits == 1 ? "" : "s")\n"
            )
        }
        Host.exit(0)
    }
}
