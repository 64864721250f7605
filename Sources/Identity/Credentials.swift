/// One worker's view of keys and of the tokens it has verified. Used by its thread alone.
public final class Credentials {
    /// The keys; replaced by message when a file or a JWK set changes.
    public var keys: CredentialKeys
    /// Whether a token named a key ID (`kid`) that no key has since this was last set to `false`: the JWK sets
    /// are worth another fetch.
    public var wantsKeys = false
    /// What became of the credentials so far.
    public private(set) var counts = CredentialCounts()

    /// Creates the view for `settings`; `claims` are the claims whose values are kept, in the order of
    /// `ResolvedIdentity.claim(_:)`.
    public init(_ settings: IdentitySettings, claims: [String], keys: CredentialKeys) {
        self.keys = keys
    }
}

/// An immutable set of keys, shared by all workers.
public final class CredentialKeys: Sendable {
    /// The keys for tokens.
    public let tokens: [TokenKey]
    /// The API keys.
    public let apiKeys: APIKeyTable

    /// Creates a set.
    public init(tokens: [TokenKey] = [], apiKeys: APIKeyTable = APIKeyTable([])) {
        self.tokens = tokens
        self.apiKeys = apiKeys
    }
}

/// A key that verifies tokens.
public struct TokenKey: Sendable {
    /// The key's `kid`, from a JWK set; `nil`: it has none and may verify any token.
    public let id: String?

    /// Reads the public keys and certificates of a PEM file.
    public static func pem(_ bytes: [UInt8]) throws(TokenKeyError) -> [TokenKey] { [] }

    /// Reads a JWK set (RFC 7517 §5). Keys of unknown types and uses are left out.
    public static func jwks(_ bytes: [UInt8]) throws(TokenKeyError) -> [TokenKey] { [] }

    /// A shared secret for HS256.
    public static func secret(_ bytes: [UInt8]) -> TokenKey { TokenKey(id: nil) }
}

/// Why keys could not be read.
public enum TokenKeyError: Error, Sendable, BitwiseCopyable {
    /// There is no public key or certificate in it.
    case noKey
    /// It is not what it should be.
    case malformed

    /// What is said in the log.
    public var reason: StaticString {
        switch self {
        case .noKey: "no usable key in it"
        case .malformed: "malformed"
        }
    }
}

/// One API key of the file.
public struct APIKeyEntry: Sendable, Equatable {
    /// The SHA-256 of the key, 32 bytes.
    public var digest: [UInt8]
    /// The user.
    public var user: String?
    /// The company.
    public var company: String?
    /// The tier.
    public var tier: String?

    /// Creates an entry.
    public init(digest: [UInt8], user: String?, company: String?, tier: String?) {
        self.digest = digest
        self.user = user
        self.company = company
        self.tier = tier
    }

    /// The SHA-256 of a key in clear.
    public static func digest(of key: [UInt8]) -> [UInt8] { [] }
}

/// API keys by their SHA-256.
public struct APIKeyTable: Sendable {
    /// The number of keys.
    public let count: Int

    /// Creates a table.
    public init(_ entries: [APIKeyEntry]) { count = entries.count }
}

/// What became of credentials, by kind and outcome.
public struct CredentialCounts: Sendable, BitwiseCopyable {
    /// Tokens that were verified before and remembered.
    public var tokensRemembered: UInt64 = 0
    /// Tokens that were verified.
    public var tokensVerified: UInt64 = 0
    /// Tokens that were not right.
    public var tokensInvalid: UInt64 = 0
    /// API keys that are known.
    public var apiKeysKnown: UInt64 = 0
    /// API keys that are not.
    public var apiKeysUnknown: UInt64 = 0

    /// Creates zeros.
    public init() {}

    /// Adds another worker's.
    public mutating func add(_ other: CredentialCounts) {
        tokensRemembered &+= other.tokensRemembered
        tokensVerified &+= other.tokensVerified
        tokensInvalid &+= other.tokensInvalid
        apiKeysKnown &+= other.apiKeysKnown
        apiKeysUnknown &+= other.apiKeysUnknown
    }
}

/// What a request's credentials turned out to be.
public enum CredentialOutcome: Sendable, BitwiseCopyable, Equatable {
    /// It has none.
    case none
    /// A token that was verified.
    case token
    /// An API key of the file.
    case apiKey
    /// A token that is not right.
    case invalidToken(TokenProblem)
    /// An API key that is not in the file.
    case unknownAPIKey

    /// Whether they were there and are not good.
    public var isBad: Bool {
        switch self {
        case .invalidToken, .unknownAPIKey: true
        case .none, .token, .apiKey: false
        }
    }
}

/// Why a token is not right. No two of these help to forge one.
public enum TokenProblem: UInt8, Sendable, BitwiseCopyable, CaseIterable {
    /// It is not a JWS of three parts with JSON in the first two.
    case malformed
    /// Its algorithm is not allowed, or not what its key is for.
    case algorithm
    /// No key has its `kid`, or there is none that could verify it.
    case unknownKey
    /// The signature is wrong.
    case signature
    /// It has expired, or says no `exp`.
    case expired
    /// It is not valid yet.
    case notYetValid
    /// Another issuer.
    case issuer
    /// Another audience.
    case audience

    /// What is said in the answer and in the log.
    public var reason: StaticString {
        switch self {
        case .malformed: "the token is malformed"
        case .algorithm: "the token's algorithm is not accepted"
        case .unknownKey: "the token's key is not known"
        case .signature: "the token's signature is wrong"
        case .expired: "the token has expired"
        case .notYetValid: "the token is not valid yet"
        case .issuer: "the token is from another issuer"
        case .audience: "the token is for another audience"
        }
    }
}
