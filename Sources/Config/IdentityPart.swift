import Identity
import Primitives

/// The identity of the file, and which parts it names, those with faults included.
struct ParsedIdentity {
    var settings = Defaults.identity
    var hasUser = false
    var hasCompany = false
    var hasTier = false
    /// Where `jwt` and `api_keys` stand.
    var jwt: Value?
    var apiKeys: Value?
    var trustsSomebody = false
    /// Whether all sources were read without a fault.
    var hasRightSources = true
}

/// Reads `identity:`.
extension Report {
    func identity(_ value: Value) -> ParsedIdentity {
        var parsed = ParsedIdentity()
        guard
            var fields = Fields(
                value, self, expected: "a mapping",
                help: "for example `identity: {ipv6_prefix: 64}`")
        else {
            parsed.hasRightSources = false
            return parsed
        }
        let proxies = fields.take("trusted_proxies")
        if let proxies {
            let items = items(proxies, "networks", atMost: Bounds.trustedProxies)
            parsed.settings.trustedProxies = items.compactMap { network($0) }
        }
        if let prefix = fields.take("ipv6_prefix") {
            let bits = integer(prefix, Bounds.ipv6Prefix)
            parsed.settings.ipv6Prefix = bits ?? Defaults.identity.ipv6Prefix
        }
        parsed.jwt = fields.take("jwt")
        parsed.settings.jwt = parsed.jwt.flatMap { jwt($0) }
        parsed.apiKeys = fields.take("api_keys")
        parsed.settings.apiKeys = parsed.apiKeys.flatMap { apiKeys($0) }
        parsed.trustsSomebody = proxies.map { !$0.isEmptyList } ?? false
        if let user = fields.take("user") {
            parsed.hasUser = true
            parsed.settings.user = sources(user, &parsed)
        }
        if let company = fields.take("company") {
            parsed.hasCompany = true
            parsed.settings.company = sources(company, &parsed)
        }
        if let tier = fields.take("tier") {
            parsed.hasTier = true
            self.tier(tier, &parsed)
        }
        fields.update("forwarded", &parsed.settings.forwarded) { forwarded($0) }
        fields.finish()
        return parsed
    }

    private func tier(_ value: Value, _ parsed: inout ParsedIdentity) {
        guard case .map = value.content else {
            parsed.settings.tier = sources(value, &parsed)
            return
        }
        guard var fields = Fields(value, self, expected: "a mapping") else { return }
        if let from = fields.take("from") { parsed.settings.tier = sources(from, &parsed) }
        if let name = fields.take("default") {
            parsed.settings.defaultTier = name.text
            if name.text.map(Self.isTier) != true {
                expected("the name of a tier", name, help: "at most \(Bounds.tierBytes) bytes")
            }
        }
        fields.finish()
    }

    /// Whether `text` can be a tier: something a header field can carry.
    static func isTier(_ text: String) -> Bool {
        (1...Bounds.tierBytes).contains(text.utf8.count) && Text.isFieldValue(text)
    }

    /// Where a part of the identity comes from: one source, or a list of which the first that
    /// knows it counts.
    private func sources(
        _ value: Value, _ parsed: inout ParsedIdentity
    ) -> [IdentitySettings.Source] {
        let before = problems.count
        var sources: [IdentitySettings.Source] = []
        if value.isEmptyList { expected("at least one source", value) }
        for item in items(value, "sources", atMost: Bounds.sources) {
            if item.isUnusable { parsed.hasRightSources = false }
            guard let source = source(item, parsed) else { continue }
            if sources.contains(source) { error(item, "`\(item.text ?? "")` stands twice") }
            sources.append(source)
        }
        if problems.count > before || value.isUnusable { parsed.hasRightSources = false }
        return sources
    }

    private func source(_ value: Value, _ parsed: ParsedIdentity) -> IdentitySettings.Source? {
        let text = value.text ?? ""
        let help = "for example `jwt.sub`, `api_key.user` or `header:X-User-ID`"
        if text.hasPrefix("jwt.") {
            return claim(value, String(text.dropFirst(4)), parsed)
        }
        if text.hasPrefix("api_key.") {
            guard let part = IdentitySettings.APIKeyPart(rawValue: String(text.dropFirst(8))) else {
                let known = IdentitySettings.APIKeyPart.allCases.map { "api_key.\($0.rawValue)" }
                unknownWord(value, text, kind: "source", known: known)
                return nil
            }
            if parsed.apiKeys == nil {
                error(
                    value, "`identity.api_keys` is not set",
                    help: "write `api_keys: {file: api-keys.yaml}`")
            }
            return .apiKey(part)
        }
        if text.hasPrefix("cookie:"), Text.isToken(String(text.dropFirst(7))) {
            return .cookie(String(text.dropFirst(7)))
        }
        let name = Text.lowered(String(text.dropFirst(7)))
        guard text.hasPrefix("header:"), Text.isToken(name) else {
            expected(
                "`jwt.CLAIM`, `api_key.PART`, `header:NAME` or `cookie:NAME`", value, help: help)
            return nil
        }
        // The fields of clients are never believed, so without trusted proxies nobody has a user.
        if !parsed.trustsSomebody {
            error(
                value, "header fields are believed from `trusted_proxies` only, and none is named",
                help: "for example `trusted_proxies: [127.0.0.0/8]`")
        }
        return .header(name)
    }

    private func claim(
        _ value: Value, _ name: String, _ parsed: ParsedIdentity
    ) -> IdentitySettings.Source? {
        guard Self.isClaim(name) else {
            expected("`jwt.` and the name of a claim", value, help: "for example `jwt.sub`")
            return nil
        }
        if parsed.jwt == nil {
            error(
                value, "`identity.jwt` is not set",
                help: "write `jwt: {keys: [{file: issuer.pem}]}`")
        }
        return .claim(name)
    }

    /// `forwarded:` the fields in which the origin gets the identity, or `off`.
    private func forwarded(_ value: Value) -> ForwardedIdentity? {
        var forwarded = Defaults.identity.forwarded
        if value.text == "off" {
            (forwarded.user, forwarded.company, forwarded.tier) = (nil, nil, nil)
            return forwarded
        }
        guard
            var fields = Fields(
                value, self, expected: "`off` or a mapping",
                help: "for example `forwarded: {user: X-Weir-User, tier: off}`")
        else { return nil }
        func read(_ key: String, _ name: inout String?) {
            guard let field = fields.take(key) else { return }
            name =
                field.text == "off"
                ? nil : ownField(field, example: "X-Weir-User", allowed: name) ?? name
        }
        read("user", &forwarded.user)
        read("company", &forwarded.company)
        read("tier", &forwarded.tier)
        fields.finish()
        let names = [forwarded.user, forwarded.company, forwarded.tier].compactMap { $0 }
        if Set(names).count < names.count {
            error(keyOf: value, "two parts cannot have the same field")
        }
        return forwarded
    }
}

extension Value {
    /// Whether it is a list without items.
    var isEmptyList: Bool {
        guard case .list(let items) = content else { return false }
        return items.isEmpty
    }
}
