import Primitives

/// What a token must say to be accepted, from the settings, in the form in which tokens are compared with it.
struct TokenPolicy: Sendable {
    let algorithms: JWTAlgorithmSet
    private let issuer: [UInt8]?
    private let audiences: [[UInt8]]
    private let leeway: UInt64

    /// From when and until when a token is valid, with the leeway added at both ends: nanoseconds since 1970.
    struct Validity: BitwiseCopyable {
        var from: UInt64
        var until: UInt64

        /// Why it is not valid at `now`, or `nil`. The last moment is not part of it (RFC 7519 §4.1.4).
        func problem(at now: WallTime) -> TokenProblem? {
            if now.nanoseconds >= until { return .expired }
            return now.nanoseconds < from ? .notYetValid : nil
        }
    }

    init(_ settings: JWTSettings) {
        algorithms = JWTAlgorithmSet(settings.algorithms)
        issuer = settings.issuer.map { Array($0.utf8) }
        audiences = settings.audiences.map { Array($0.utf8) }
        leeway = min(settings.leeway, IdentityBounds.leewayMax).count
    }

    /// Checks what the claims say about time, issuer and audience.
    func check(_ claims: JSONDocument, at now: WallTime) throws(TokenProblem) -> Validity {
        guard let expiry = try date("exp", of: claims) else { throw .expired }
        let start = try date("nbf", of: claims) ?? 0
        let (until, overflow) = expiry.addingReportingOverflow(leeway)
        let validity = Validity(
            from: start > leeway ? start - leeway : 0, until: overflow ? .max : until)
        if let problem = validity.problem(at: now) { throw problem }
        try checkIssuer(of: claims)
        try checkAudience(of: claims)
        return validity
    }

    private func date(
        _ name: StaticString, of claims: JSONDocument
    ) throws(TokenProblem) -> UInt64? {
        guard let node = claims.member(name) else { return nil }
        guard claims.kind(of: node) == .number else { throw .malformed }
        return NumericDate.nanoseconds(claims.text(of: node))
    }

    private func checkIssuer(of claims: JSONDocument) throws(TokenProblem) {
        guard let issuer else { return }
        guard let node = claims.string("iss"), claims.text(of: node).equals(issuer.span) else {
            throw .issuer
        }
    }

    /// `aud` is a string or a list of strings (RFC 7519 §4.1.3).
    private func checkAudience(of claims: JSONDocument) throws(TokenProblem) {
        guard !audiences.isEmpty else { return }
        guard let node = claims.member("aud") else { throw .audience }
        if isAudience(node, of: claims) { return }
        guard claims.kind(of: node) == .array else { throw .audience }
        var element = claims.firstElement(of: node)
        while let at = element {
            if isAudience(at, of: claims) { return }
            element = claims.element(after: at, of: node)
        }
        throw .audience
    }

    private func isAudience(_ node: Int, of claims: JSONDocument) -> Bool {
        guard claims.kind(of: node) == .string else { return false }
        for audience in audiences where claims.text(of: node).equals(audience.span) { return true }
        return false
    }
}
