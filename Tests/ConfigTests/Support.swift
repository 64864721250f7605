import Config
import Settings
import Testing

/// The least a file must say, for tests of other parts.
let frame = "listen: 127.0.0.1:8080\nupstream: http://127.0.0.1:8000\n"
/// The same with somebody who has a user, a company and a tier.
let identified =
    frame
    + "identity: {trusted_proxies: [127.0.0.0/8], user: header:X-User, company: header:X-Company, "
    + "tier: header:X-Tier}\n"

func load(
    _ text: String, _ environment: [String: String] = [:]
) -> Result<ProxySettings, ConfigurationFailure> {
    Configuration.load(
        Array(text.utf8), file: "proxy.yaml", environment: environment, processors: 4)
}

/// The settings of a file that must be good.
func settings(
    _ text: String, _ environment: [String: String] = [:],
    at place: SourceLocation = #_sourceLocation
) throws -> ProxySettings {
    switch load(text, environment) {
    case .success(let settings): return settings
    case .failure(let failure):
        Issue.record("\(failure)", sourceLocation: place)
        throw failure
    }
}

/// The messages of a file that must be bad, with `line:column` before each.
func messages(
    _ text: String, _ environment: [String: String] = [:]
) -> [String] {
    guard case .failure(let failure) = load(text, environment) else { return [] }
    return failure.problems.map { "\($0.line):\($0.column) \($0.message)" }
}
