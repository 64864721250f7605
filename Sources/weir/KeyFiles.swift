import Config
import EventLoop
import Identity
import Proxy
import Settings

/// The keys of the process: read before anything starts, watched on the control loop.
enum KeyFiles {
    /// Prepares to keep the keys of `settings`, in a reload after those of `former`; changes of state go to
    /// `note`.
    static func keeper(
        of settings: ProxySettings, after former: KeyKeeper? = nil, on loop: EventLoop,
        note: @escaping (KeyEvent) -> Void
    ) -> KeyKeeper {
        let world = KeyWorld(loop: loop, parseAPIKeys: parseAPIKeys, note: note)
        return KeyKeeper(
            settings.identity, after: former, world: world, loop: loop,
            seed: UInt64.random(in: .min ... .max))
    }

    /// Reads a file of API keys; the first of its problems are the reason.
    private static func parseAPIKeys(
        _ bytes: [UInt8], _ file: String
    ) -> Result<[APIKeyEntry], KeyProblem> {
        Configuration.apiKeys(bytes, file: file).mapError { failure in
            let shown = failure.problems.prefix(EventLog.problemsMax).map { problem in
                "\(problem.line):\(problem.column): \(problem.message)"
            }
            let more = failure.problems.count + failure.omitted - shown.count
            let rest = more > 0 ? "; and \(more) more" : ""
            return KeyProblem(source: file, reason: shown.joined(separator: "; ") + rest)
        }
    }
}
