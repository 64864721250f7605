public import Primitives

/// The `identity:` part of the configuration.
public struct IdentitySettings: Sendable, Equatable {
    /// Where a part of the identity comes from.
    public enum Source: Sendable, Equatable {
        /// A header field, believed only from a trusted proxy; lower-case name.
        case header(String)
        /// A claim of the verified token: `jwt.sub`.
        case claim(String)
        /// What the API key file says of the key: `api_key.user`.
        case apiKey(APIKeyPart)
        /// A cookie's value. Whoever sends it chose it: good for counting, no proof of anything.
        case cookie(String)
    }

    /// What the API key file says of a key.
    public enum APIKeyPart: String, Sendable, BitwiseCopyable, Equatable, CaseIterable {
        /// The user.
        case user
        /// The company.
        case company
        /// The tier.
        case tier
    }

    /// Peers whose forwarding fields and identity headers are believed.
    public var trustedProxies: [IPNetwork] = []
    /// IPv6 addresses are counted by this many leading bits, 1…128.
    public var ipv6Prefix = 64
    /// How tokens are verified; `nil`: none is looked at.
    public var jwt: JWTSettings?
    /// Where API keys come from; `nil`: none is looked at.
    public var apiKeys: APIKeySettings?
    /// Where the user comes from; the first source that knows one counts. Empty: nobody has one.
    public var user: [Source] = []
    /// Where the company comes from.
    public var company: [Source] = []
    /// Where the tier comes from.
    public var tier: [Source] = []
    /// The tier of requests that name none.
    public var defaultTier: String?
    /// The fields in which the origin gets the identity.
    public var forwarded = ForwardedIdentity()

    /// Creates the settings that trust nobody and name nobody.
    public init() {}
}

/// The fields in which the origin gets the identity; lower-case names, `nil`: not sent. Those that clients send
/// under these names never reach it.
public struct ForwardedIdentity: Sendable, Equatable {
    /// The user's.
    public var user: String? = "x-weir-user"
    /// The company's.
    public var company: String? = "x-weir-company"
    /// The tier's.
    public var tier: String? = "x-weir-tier"

    /// Creates the default names.
    public init() {}
}

/// The `identity.jwt` part (RFC 7519).
public struct JWTSettings: Sendable, Equatable {
    /// Where keys come from.
    public enum KeySource: Sendable, Equatable {
        /// A PEM file: public keys or certificates; read again when it changes.
        case pem(file: String)
        /// A JWK set (RFC 7517) in a file; read again when it changes.
        case jwks(file: String)
        /// A JWK set behind an `http` or `https` URL; fetched again in the background.
        case remoteJWKS(url: String)
        /// A shared secret, for HS256.
        case secret([UInt8])
    }

    /// The keys, at least one.
    public var keys: [KeySource]
    /// The algorithms that may be used, each only with keys made for it.
    public var algorithms: [JWTAlgorithm]
    /// What `iss` must be; `nil`: not looked at.
    public var issuer: String?
    /// One of these must be in `aud`; empty: not looked at.
    public var audiences: [String] = []
    /// By how much clocks may differ, 0 to 60 s.
    public var leeway = Nanoseconds.seconds(30)
    /// The cookie that holds the token when there is no Authorization field; `nil`: none.
    public var cookie: String?

    /// Creates settings.
    public init(keys: [KeySource], algorithms: [JWTAlgorithm]) {
        self.keys = keys
        self.algorithms = algorithms
    }
}

/// The `identity.api_keys` part.
public struct APIKeySettings: Sendable, Equatable {
    /// The field that holds the key; lower-case name.
    public var header: String
    /// The file of keys; read again when it changes.
    public var file: String

    /// Creates settings.
    public init(header: String, file: String) {
        self.header = header
        self.file = file
    }
}
