import HTTPModel
import Identity
import Primitives

extension Explanation.Identity {
    /// Puts what was found out about a request into words.
    init(
        _ identity: borrowing ResolvedIdentity, _ request: borrowing RequestHead, peer: IPAddress,
        _ settings: IdentitySettings
    ) {
        address = Explanation.Part(
            value: identity.address.description,
            source: Self.addressSource(identity, request, peer: peer))
        counted =
            identity.countedAddress == identity.address
            ? nil : "\(identity.countedAddress)/\(settings.ipv6Prefix)"
        let asked = Asked(identity: identity.copy(), request: copy request)
        user = asked.part(identity.user?.text, identity.userSource, settings.user)
        company = asked.part(identity.company?.text, identity.companySource, settings.company)
        tier = asked.part(
            identity.tier?.text, identity.tierSource, settings.tier, otherwise: "the default")
        userIsProven = identity.userIsProven
        credential =
            switch identity.credential {
            case .none: "none"
            case .token: "a token, verified"
            case .apiKey: "an API key, known"
            case .invalidToken(let problem): "a token that is not accepted: \(problem.reason)"
            case .unknownAPIKey: "an API key that is not known"
            }
    }

    /// How the client's address was found.
    private static func addressSource(
        _ identity: borrowing ResolvedIdentity, _ request: borrowing RequestHead, peer: IPAddress
    ) -> String {
        let field = IdentityResolver.chainField(in: request.fields).map {
            $0 == .forwarded ? "Forwarded" : "X-Forwarded-For"
        }
        guard identity.peerIsTrusted else {
            guard let field else { return "the connection" }
            return "the connection; \(field) is not believed, \(peer) is no trusted proxy"
        }
        guard let field else {
            return "the connection, a trusted proxy's without X-Forwarded-For or Forwarded"
        }
        return identity.address == peer
            ? "the connection; \(field) of this trusted proxy has no address"
            : "\(field) of the trusted proxy \(peer)"
    }
}

/// What explains where a part of the identity comes from.
private struct Asked: ~Copyable {
    let identity: ResolvedIdentity
    let request: RequestHead

    /// A part in words.
    func part(
        _ value: String?, _ source: Int?, _ sources: [IdentitySettings.Source],
        otherwise: String = ""
    ) -> Explanation.Part {
        if let value {
            let named = source.map { sources[$0].words }
            return Explanation.Part(value: value, source: named ?? otherwise)
        }
        if sources.isEmpty { return Explanation.Part(value: nil, source: "not configured") }
        let reasons = sources.map { "\($0.words): \(absence(of: $0))" }
        return Explanation.Part(value: nil, source: reasons.joined(separator: "; "))
    }

    /// Why a source names nobody.
    private func absence(of source: IdentitySettings.Source) -> String {
        switch source {
        case .header(let name):
            let field = Array(name.utf8)
            guard request.fields.first(named: field.span) != nil else { return "not sent" }
            return identity.peerIsTrusted ? "empty, or sent twice" : "the peer is no trusted proxy"
        case .claim:
            switch identity.credential {
            case .token: return "the token has none"
            case .invalidToken: return "the token is not accepted"
            case .none, .apiKey, .unknownAPIKey: return "no token"
            }
        case .apiKey:
            switch identity.credential {
            case .apiKey: return "the key has none"
            case .unknownAPIKey: return "the key is not known"
            case .none, .token, .invalidToken: return "no API key"
            }
        case .cookie: return "no such cookie"
        }
    }
}

extension IdentitySettings.Source {
    /// As the configuration writes it.
    var words: String {
        switch self {
        case .header(let name): "header:\(name)"
        case .claim(let name): "jwt.\(name)"
        case .apiKey(let part): "api_key.\(part.rawValue)"
        case .cookie(let name): "cookie:\(name)"
        }
    }
}
