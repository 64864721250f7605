import Config
import EventLoop
import Settings

/// Reads configuration files.
enum ConfigurationFile {
    /// Why a file gives no settings.
    enum Fault: Error {
        /// The system's reason.
        case unreadable(String)
        /// What is wrong in it.
        case wrong(ConfigurationFailure)
    }

    /// Reads and checks `file`; `processors` is what `workers: auto` stands for.
    static func read(_ file: String, processors: Int) throws(Fault) -> ProxySettings {
        let bytes: [UInt8]
        do {
            bytes = try Host.readFile(file, limit: 1 << 20 + 1)
        } catch {
            throw .unreadable(error.text)
        }
        let loaded = Configuration.load(
            bytes, file: file, environment: Host.environment, processors: processors)
        switch loaded {
        case .success(let settings): return settings
        case .failure(let failure): throw .wrong(failure)
        }
    }

    /// The settings of `file`, or an explanation for people and the end of the process.
    static func load(_ file: String) -> ProxySettings {
        do {
            return try read(file, processors: Host.processors)
        } catch {
            switch error {
            case .unreadable(let reason):
                Host.write("weir: cannot read \(file): \(reason)\n", toError: true)
            case .wrong(let failure):
                Host.write(failure.description, toError: true)
            }
            Host.exit(ExitStatus.configuration)
        }
    }
}

/// `weir check`: says whether a file is right, with `--print` what it means, and with `--connect` whether what it
/// names is there.
struct CheckCommand {
    let file: String
    let prints: Bool
    let connects: Bool

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
        guard connects else { Host.exit(0) }
        connect(settings)
    }

    private func connect(_ settings: ProxySettings) -> Never {
        guard let loop = EventLoop() else {
            Host.write("weir: the system refused a descriptor\n", toError: true)
            Host.exit(ExitStatus.system)
        }
        // A configuration that was printed stays one that can be loaded.
        let begin = prints ? "# " : ""
        loop.start {
            let check = ConnectCheck(settings, on: loop) { Host.write("\(begin)\($0)\n") }
            Host.exit(await check.run() ? 0 : ExitStatus.unavailable)
        }
        loop.run()
        Host.exit(ExitStatus.system)
    }
}
