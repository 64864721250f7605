import FoundationEssentials
import Glibc
import HTTPModel
import Identity
import Primitives

/// What it costs to know who asks: by a token that was verified before, and by one that was not.
///
/// The tokens lie in the folder that `WEIR_BENCH_TOKENS` names; `bench/harness/tokens.py` makes them.
func measureTokens(_ rounds: Rounds) {
    guard let folder = getenv("WEIR_BENCH_TOKENS").map({ String(cString: $0) }) else {
        Report.fail("WEIR_BENCH_TOKENS names no folder; run bench/limits")
    }
    for algorithm in JWTAlgorithm.allCases {
        guard let tokens = TokenSet(algorithm, in: folder) else { continue }
        if algorithm == .HS256 || algorithm == .RS256 {
            measureRemembered(tokens, rounds)
        }
        measureFirst(tokens, rounds)
    }
}

/// The same requests again and again.
private func measureRemembered(_ tokens: TokenSet, _ rounds: Rounds) {
    let work = "token, \(tokens.requests.count) in turn, remembered, \(tokens.algorithm)"
    guard rounds.wants(work) else { return }
    let credentials = tokens.credentials()
    var identity = ResolvedIdentity()
    let turns = 200
    rounds.say(work, bound: 1000, pieces: turns * tokens.requests.count) {
        for _ in 0..<turns { tokens.resolveAll(credentials, &identity) }
    }
    guard credentials.counts.tokensVerified == UInt64(tokens.requests.count),
        credentials.counts.tokensInvalid == 0
    else { Report.fail("\(tokens.algorithm): not every token was verified once") }
}

/// Every token for the first time.
private func measureFirst(_ tokens: TokenSet, _ rounds: Rounds) {
    let work = "token, first verification, \(tokens.algorithm)"
    guard rounds.wants(work) else { return }
    var identity = ResolvedIdentity()
    let (median, all) = rounds.time(tokens.requests.count) {
        let credentials = tokens.credentials()
        tokens.resolveAll(credentials, &identity)
        guard credentials.counts.tokensVerified == UInt64(tokens.requests.count) else {
            Report.fail("\(tokens.algorithm): a token was not verified")
        }
    }
    Report.say(work, median / 1000, unit: "µs", rounds: all.map { $0 / 1000 })
}

/// The tokens of one algorithm, each in a request.
private struct TokenSet {
    let algorithm: JWTAlgorithm
    let requests: [RequestHead]
    private let settings: IdentitySettings
    private let keys: CredentialKeys
    private let resolver: IdentityResolver
    private let claims = ["sub", "company_id", "plan"]

    /// Reads the key and the tokens; `nil` when there are none.
    init?(_ algorithm: JWTAlgorithm, in folder: String) {
        guard let key = try? Data(contentsOf: URL(filePath: "\(folder)/\(algorithm).key")),
            let text = try? String(contentsOfFile: "\(folder)/\(algorithm).tokens", encoding: .utf8)
        else { return nil }
        var settings = IdentitySettings()
        var jwt = JWTSettings(keys: [], algorithms: [algorithm])
        jwt.issuer = "https://issuer.example"
        jwt.audiences = ["bench"]
        settings.jwt = jwt
        settings.user = [.claim("sub")]
        settings.company = [.claim("company_id")]
        settings.tier = [.claim("plan")]
        self.algorithm = algorithm
        self.settings = settings
        do {
            let bytes = [UInt8](key)
            keys = CredentialKeys(
                tokens: algorithm == .HS256 ? [.secret(bytes)] : try TokenKey.pem(bytes))
        } catch {
            Report.fail("\(algorithm): the key cannot be read: \(error.reason)")
        }
        resolver = IdentityResolver(settings, claims: claims)
        requests = text.split(separator: "\n").map { token in
            var request = RequestHead()
            let fields = [
                ("Host", "api.example"), ("User-Agent", "bench/1.0"), ("Accept", "*/*"),
                ("Authorization", "Bearer \(token)"),
            ]
            for (name, value) in fields {
                request.fields.append(name: Array(name.utf8).span, value: Array(value.utf8).span)
            }
            return request
        }
    }

    /// A worker's view that remembers nothing yet.
    func credentials() -> Credentials { Credentials(settings, claims: claims, keys: keys) }

    /// Resolves every request once.
    @inline(never)
    func resolveAll(_ credentials: Credentials, _ identity: inout ResolvedIdentity) {
        let now = WallTime(nanoseconds: UInt64(time(nil)) * 1_000_000_000)
        for index in requests.indices {
            resolver.resolve(
                peer: IPAddress(v4: 0x7F00_0001), request: requests[index],
                credentials: credentials, at: now, into: &identity)
        }
    }
}
