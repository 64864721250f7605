import Identity
import Limits
import Settings

/// Credentials that are asked for and not there, and those that are there and not asked for.
extension Report {
    /// `auth: required` where nobody has a user, or whoever wants to has one.
    func checkProof(_ auth: Value, _ identity: ParsedIdentity) {
        if !identity.hasUser {
            error(
                keyOf: auth, "`identity.user` is not set: every request would be refused",
                help:
                    "write `identity: {user: header:X-User-ID, trusted_proxies: [127.0.0.0/8]}`, "
                    + "or read it from a token: `user: jwt.sub`"
            )
            return
        }
        if identity.hasRightSources && !identity.provesUser {
            error(
                keyOf: auth, "`identity.user` comes from a cookie, which proves nothing",
                help: "anybody can send any cookie; add a source that proves the user, such as "
                    + "`jwt.sub`; `jwt` has a `cookie` of its own for the token")
        }
    }

    /// Credentials that are verified for nobody, and claims of tokens that are not read.
    func checkCredentials(
        _ limits: [ParsedLimit], _ routes: [ParsedRoute], _ identity: ParsedIdentity
    ) {
        for limit in limits where identity.jwt == nil {
            guard let claim = limit.definition.per.first(where: \.isClaim) else { continue }
            error(
                keyOf: limit.value, "is per \(claim.text), but `identity.jwt` is not set",
                help: "claims are read from verified tokens only")
        }
        // Where a part was not read, it may have been meant for these.
        let isCertain = identity.hasRightSources && limits.allSatisfy(\.hasRightScopes)
        if !isCertain || routes.contains(where: \.mayRequireUser) { return }
        let settings = identity.settings
        let sources = settings.user + settings.company + settings.tier
        let kinds = sources.map(\.kind)
        let hasClaims =
            kinds.contains(.claim)
            || limits.contains { $0.definition.per.contains(where: \.isClaim) }
        if let jwt = identity.jwt, !hasClaims {
            error(
                keyOf: jwt, "tokens would be verified, but not used",
                help: "name a source, for example `user: jwt.sub`, or remove it")
        }
        if let apiKeys = identity.apiKeys, !kinds.contains(.apiKey) {
            error(
                keyOf: apiKeys, "API keys would be looked up, but not used",
                help: "name a source, for example `user: api_key.user`, or remove it")
        }
    }
}

extension ParsedIdentity {
    /// Whether a source of the user proves more than that somebody sent it.
    var provesUser: Bool { settings.user.contains { $0.kind != .cookie } }
}

extension IdentitySettings.Source {
    fileprivate enum Kind { case header, claim, apiKey, cookie }

    fileprivate var kind: Kind {
        switch self {
        case .header: .header
        case .claim: .claim
        case .apiKey: .apiKey
        case .cookie: .cookie
        }
    }
}

extension LimitDefinition.Scope {
    fileprivate var isClaim: Bool {
        guard case .claim = self else { return false }
        return true
    }
}
