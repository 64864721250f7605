import HTTPModel
import Primitives

@testable import Identity

let secret = Array("an example of a secret with 42 bytes in it".utf8)

/// 2026-10-01T00:00:00Z, in seconds.
let today: UInt64 = 1_790_812_800

func seconds(_ count: UInt64) -> WallTime { WallTime(nanoseconds: count * 1_000_000_000) }

func base64(_ bytes: [UInt8], url: Bool = true) -> String {
    let letters = Array(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789" + (url ? "-_" : "+/"))
    var text = ""
    for start in stride(from: 0, to: bytes.count, by: 3) {
        let group = bytes[start..<min(start + 3, bytes.count)]
        var bits = group.reduce(0) { $0 << 8 | Int($1) }
        bits <<= (3 - group.count) * 8
        for index in 0..<4 {
            if index <= group.count {
                text.append(letters[bits >> (18 - 6 * index) & 63])
            } else if !url {
                text.append("=")
            }
        }
    }
    return text
}

func decoded(_ text: String) -> [UInt8]? {
    var bytes: [UInt8] = []
    let input = Array(text.utf8)
    return Base64URL.decode(input.span, to: &bytes) ? bytes : nil
}

/// Who signs.
enum Signer {
    case key(SigningKey, JWTAlgorithm)
    case secret([UInt8])
}

/// A token with these claims; the header says what the signer does, or `header`.
func token(
    _ claims: String = #"{"exp":\#(today + 600),"sub":"42"}"#, by signer: Signer = .secret(secret),
    kid: String? = nil, header: String? = nil
) -> String {
    let name: String =
        switch signer {
        case .key(_, let algorithm): algorithm.rawValue
        case .secret: "HS256"
        }
    let id = kid.map { #","kid":"\#($0)""# } ?? ""
    let head = header ?? #"{"alg":"\#(name)"\#(id)}"#
    let signed = base64(Array(head.utf8)) + "." + base64(Array(claims.utf8))
    let signature: [UInt8] =
        switch signer {
        case .key(let key, let algorithm): key.signature(of: Array(signed.utf8), algorithm)
        case .secret(let secret): hmac(Array(signed.utf8), secret: secret)
        }
    return signed + "." + base64(signature)
}

func pem(_ label: String, _ bytes: [UInt8]) -> String {
    let text = Array(base64(bytes, url: false))
    let lines = stride(from: 0, to: text.count, by: 64).map {
        String(text[$0..<min($0 + 64, text.count)])
    }
    return "-----BEGIN \(label)-----\n" + lines.joined(separator: "\n")
        + "\n-----END \(label)-----\n"
}

extension SigningKey {
    /// The key as one that verifies.
    var verifying: TokenKey {
        let keys = try? TokenKey.pem(Array(pem("PUBLIC KEY", publicKey).utf8))
        guard let key = keys?.first else { preconditionFailure("the key cannot be read") }
        return key
    }

    /// The key as a JWK, with more members perhaps: `,"kid":"a"`.
    func jwk(_ more: String = "") -> String {
        let point = self.point
        switch point.count {
        case 64, 96:
            let half = point.count / 2
            return #"{"kty":"EC","crv":"\#(half == 32 ? "P-256" : "P-384")","#
                + #""x":"\#(base64(Array(point[..<half])))","y":"\#(base64(Array(point[half...])))"\#(more)}"#
        case 32:
            return #"{"kty":"OKP","crv":"Ed25519","x":"\#(base64(point))"\#(more)}"#
        default:
            return
                #"{"kty":"RSA","n":"\#(base64(number("n")))","e":"\#(base64(number("e")))"\#(more)}"#
        }
    }
}

/// A key set of JWKs; `nil` when it cannot be read.
func keySet(_ keys: String...) -> [TokenKey]? {
    try? TokenKey.jwks(Array(#"{"keys":[\#(keys.joined(separator: ","))]}"#.utf8))
}

/// A worker that looks at tokens, with what it needs to be asked.
struct Verifying: ~Copyable {
    var settings: IdentitySettings
    let resolver: IdentityResolver
    let credentials: Credentials
    var identity = ResolvedIdentity()

    init(
        keys: [TokenKey] = [.secret(secret)], algorithms: [JWTAlgorithm] = JWTAlgorithm.allCases,
        claims: [String] = [], apiKeys: [APIKeyEntry] = [],
        _ change: (inout IdentitySettings) -> Void = { _ in }
    ) {
        settings = IdentitySettings()
        settings.jwt = JWTSettings(keys: [], algorithms: algorithms)
        settings.user = [.claim("sub")]
        change(&settings)
        resolver = IdentityResolver(settings, claims: claims)
        credentials = Credentials(
            settings, claims: claims,
            keys: CredentialKeys(tokens: keys, apiKeys: APIKeyTable(apiKeys)))
    }

    /// What becomes of a request with these fields.
    @discardableResult
    mutating func resolve(
        _ fields: [(String, String)], at time: WallTime = seconds(today),
        peer: String = "198.51.100.1"
    ) -> CredentialOutcome {
        resolver.resolve(
            peer: address(peer), request: request(fields), credentials: credentials, at: time,
            into: &identity)
        return identity.credential
    }

    /// What becomes of a token.
    @discardableResult
    mutating func take(
        _ token: String, at time: WallTime = seconds(today)
    ) -> CredentialOutcome { resolve([("Authorization", "Bearer " + token)], at: time) }
}

extension ResolvedIdentity {
    /// A claim as a string.
    func claimText(_ index: Int) -> String? {
        guard let span = claim(index) else { return nil }
        return span.text
    }
}
