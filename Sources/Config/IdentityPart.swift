import Identity
import Primitives

/// The identity of the file, and which parts it names, those with faults included.
struct ParsedIdentity {
    var settings = Defaults.identity
    var hasUser = false
    var hasCompany = false
    var hasTier = false
}

/// Reads `identity:`.
extension Report {
    func identity(_ value: Value) -> ParsedIdentity {
        var parsed = ParsedIdentity()
        guard
            var fields = Fields(
                value, self, expected: "a mapping",
                help: "for example `identity: {ipv6_prefix: 64}`")
        else { return parsed }
        let proxies = fields.take("trusted_proxies")
        if let proxies {
            let items = items(proxies, "networks", atMost: Bounds.trustedProxies)
            parsed.settings.trustedProxies = items.compactMap { network($0) }
        }
        if let prefix = fields.take("ipv6_prefix") {
            let bits = integer(prefix, Bounds.ipv6Prefix)
            parsed.settings.ipv6Prefix = bits ?? Defaults.identity.ipv6Prefix
        }
        fields.refuse("jwt", "reading JSON Web Tokens", shape: .jwt)
        fields.refuse("api_keys", "the list of API keys", shape: .apiKeys)
        let trustsSomebody = proxies.map { !$0.isEmptyList } ?? false
        if let user = fields.take("user") {
            parsed.hasUser = true
            parsed.settings.user = source(user, trustsSomebody).map { [$0] } ?? []
        }
        if let company = fields.take("company") {
            parsed.hasCompany = true
            parsed.settings.company = source(company, trustsSomebody).map { [$0] } ?? []
        }
        if let tier = fields.take("tier") {
            parsed.hasTier = true
            self.tier(tier, trustsSomebody, &parsed.settings)
        }
        fields.finish()
        return parsed
    }

    private func tier(
        _ value: Value, _ trustsSomebody: Bool, _ settings: inout IdentitySettings
    ) {
        guard case .map = value.content else {
            settings.tier = source(value, trustsSomebody).map { [$0] } ?? []
            return
        }
        guard var fields = Fields(value, self, expected: "a mapping") else { return }
        settings.tier =
            fields.take("from").flatMap { source($0, trustsSomebody) }.map { [$0] } ?? []
        if let name = fields.take("default") {
            settings.defaultTier = name.text
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

    /// Where a part of the identity comes from; only header fields in this version.
    private func source(_ value: Value, _ trustsSomebody: Bool) -> IdentitySettings.Source? {
        let text = value.text ?? ""
        for prefix in ["jwt.", "api_key.", "cookie:"] where text.hasPrefix(prefix) {
            error(value, "the source `\(prefix)` is not available in this version")
            return nil
        }
        let name = Text.lowered(String(text.dropFirst(7)))
        guard text.hasPrefix("header:"), Text.isToken(name) else {
            expected(
                "`header:` and the name of a field", value, help: "for example `header:X-User-ID`")
            return nil
        }
        // The fields of clients are never believed, so without trusted proxies nobody has a user.
        if !trustsSomebody {
            error(
                value, "header fields are believed from `trusted_proxies` only, and none is named",
                help: "for example `trusted_proxies: [127.0.0.0/8]`")
        }
        return .header(name)
    }
}

extension Value {
    /// Whether it is a list without items.
    var isEmptyList: Bool {
        guard case .list(let items) = content else { return false }
        return items.isEmpty
    }
}
