import Config
import EventLoop
import Identity
import Proxy
import Settings

/// The keys of the process: read before anything starts, watched on the control loop.
enum KeyFiles {
    /// Prepares to keep the keys of `settings`; changes of state go to `note`.
    static func keeper(
        of settings: ProxySettings, on loop: EventLoop, note: @escaping (KeyEvent) -> Void
    ) -> KeyKeeper {
        let world = KeyWorld(loop: loop, parseAPIKeys: parseAPIKeys, note: note)
        return KeyKeeper(
            settings.identity, world: world, loop: loop,
            seed: UInt64.random(in: .min ... .max))
    }

    /// Reads a file of API keys.
    private static func parseAPIKeys(
        _ bytes: [UInt8], _ file: String
    ) -> Result<[APIKeyEntry], KeyProblem> {
        Configuration.apiKeys(bytes, file: file).mapError { failure in
            guard let first = failure.problems.first else {
                return KeyProblem(source: file, reason: "not a file of API keys")
            }
            let more = failure.problems.count + failure.omitted - 1
            return KeyProblem(
                source: "\(file):\(first.line):\(first.column)",
                reason: first.message + (more > 0 ? " (and \(more) more)" : ""))
        }
    }
}
