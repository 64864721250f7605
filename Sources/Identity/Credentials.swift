import HTTPModel
import Primitives

/// One worker's view of keys and of the tokens it has verified. Used by its thread alone.
public final class Credentials {
    /// The keys; replaced by message when a file or a JWK set changes. With another set all remembered tokens are
    /// forgotten, so that one whose key is gone is refused at once.
    public var keys: CredentialKeys {
        didSet { if keys !== oldValue { memory.forgetAll() } }
    }
    /// Whether a token named a key ID (`kid`) that no key has since this was last set to `false`: the JWK sets
    /// are worth another fetch.
    public var wantsKeys = false
    /// What became of the credentials so far.
    public private(set) var counts = CredentialCounts()
    /// The number of verified tokens that are remembered.
    public var tokensRemembered: Int { memory.count }
    /// The bytes they hold, at most `IdentityBounds.rememberedBytesMax`.
    public var rememberedBytes: Int { memory.bytes }

    private let names: ClaimNames
    private let finder: CredentialFinder
    private var verifier: TokenVerifier?
    private var memory = TokenMemory()

    /// Creates the view for `settings`; `claims` are the claims whose values are kept, in the order of
    /// `ResolvedIdentity.claim(_:)`. The `IdentityResolver` it is used with must have been made from the same.
    public init(_ settings: IdentitySettings, claims: [String], keys: CredentialKeys) {
        self.keys = keys
        names = ClaimNames(settings, claims: claims)
        finder = CredentialFinder(settings)
        verifier = settings.jwt.map { TokenVerifier(TokenPolicy($0)) }
    }

    /// Looks at the token and the API key of a request and writes what they turned out to be, and the token's
    /// claims, into `identity`. Bad ones prevail over good ones: such a request is not what it says.
    ///
    /// - Returns: The index of the API key in the table, when it is known.
    func examine(
        _ fields: borrowing FieldList, at now: WallTime, into identity: inout ResolvedIdentity
    ) -> Int? {
        var token = CredentialOutcome.none
        switch verifier == nil ? .absent : finder.token(in: fields) {
        case .absent: break
        case .ambiguous:
            counts.tokensInvalid &+= 1
            token = .invalidToken(.malformed)
        case .at(let range):
            let problem = verify(fields.span(range), at: now, into: &identity)
            token = problem.map { .invalidToken($0) } ?? .token
        }
        switch finder.apiKey(in: fields) {
        case .absent:
            identity.credential = token
            return nil
        case .ambiguous:
            counts.apiKeysUnknown &+= 1
            identity.credential = token.isBad ? token : .unknownAPIKey
            return nil
        case .at(let range):
            guard let index = keys.apiKeys.index(of: SHA256Digest(of: fields.span(range))) else {
                counts.apiKeysUnknown &+= 1
                identity.credential = token.isBad ? token : .unknownAPIKey
                return nil
            }
            counts.apiKeysKnown &+= 1
            identity.credential = token == .none ? .apiKey : token
            return index
        }
    }

    /// Verifies a token, from memory if it can.
    ///
    /// - Complexity: For a remembered token: its SHA-256, one row of the memory, a copy of its claims; no
    ///   allocation. Otherwise a signature.
    /// - Returns: Why it is not right; `nil` when it is.
    private func verify(
        _ token: Span<UInt8>, at now: WallTime, into identity: inout ResolvedIdentity
    ) -> TokenProblem? {
        guard token.count <= IdentityBounds.tokenBytesMax else { return invalid(.malformed) }
        let digest = SHA256Digest(of: token)
        if let place = memory.find(digest) {
            if let problem = memory.validity(at: place).problem(at: now) {
                if problem == .expired { memory.forget(place) }
                return invalid(problem)
            }
            counts.tokensRemembered &+= 1
            let claims = memory.claims(at: place)
            identity.keepClaims(claims.span)
            return nil
        }
        var block: [UInt8] = []
        do throws(TokenProblem) {
            guard
                let validity = try verifier?.verify(
                    token, keys: keys.tokens, keeping: names, at: now, into: &block,
                    wantsKeys: &wantsKeys)
            else { return invalid(.unknownKey) }
            memory.remember(digest, validity, claims: block, at: now)
        } catch {
            return invalid(error)
        }
        counts.tokensVerified &+= 1
        identity.keepClaims(block.span)
        return nil
    }

    private func invalid(_ problem: TokenProblem) -> TokenProblem {
        counts.tokensInvalid &+= 1
        return problem
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
