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
public enum TokenProblem: UInt8, Error, Sendable, BitwiseCopyable, CaseIterable {
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
