import Identity
import Primitives

extension Configuration {
    static func identity(_ identity: IdentitySettings) -> [(String, YAMLOutput)] {
        var entries: [(String, YAMLOutput)] = [
            ("trusted_proxies", .list(identity.trustedProxies.map { .text($0.description) })),
            ("ipv6_prefix", .number(identity.ipv6Prefix)),
        ]
        if let jwt = identity.jwt { entries.append(("jwt", .block(self.jwt(jwt)))) }
        if let keys = identity.apiKeys {
            entries.append(
                ("api_keys", .flow([("header", .text(keys.header)), ("file", .text(keys.file))])))
        }
        if !identity.user.isEmpty { entries.append(("user", sources(identity.user))) }
        if !identity.company.isEmpty { entries.append(("company", sources(identity.company))) }
        var tier: [(String, YAMLOutput)] = []
        if !identity.tier.isEmpty { tier.append(("from", sources(identity.tier))) }
        if let name = identity.defaultTier { tier.append(("default", .text(name))) }
        if !tier.isEmpty { entries.append(("tier", .flow(tier))) }
        let forwarded = identity.forwarded
        entries.append(
            (
                "forwarded",
                .flow([
                    ("user", .text(forwarded.user ?? "off")),
                    ("company", .text(forwarded.company ?? "off")),
                    ("tier", .text(forwarded.tier ?? "off")),
                ])
            ))
        return entries
    }

    private static func sources(_ sources: [IdentitySettings.Source]) -> YAMLOutput {
        let texts = sources.map { source -> YAMLOutput in
            switch source {
            case .header(let name): .text("header:\(name)")
            case .claim(let name): .text("jwt.\(name)")
            case .apiKey(let part): .text("api_key.\(part.rawValue)")
            case .cookie(let name): .text("cookie:\(name)")
            }
        }
        return texts.count == 1 ? texts[0] : .list(texts)
    }

    private static func jwt(_ jwt: JWTSettings) -> [(String, YAMLOutput)] {
        var secrets = 0
        let keys = jwt.keys.map { key -> YAMLOutput in
            switch key {
            case .pem(let file): return .flow([("file", .text(file))])
            case .jwks(file: let file): return .flow([("jwks", .text(file))])
            case .remoteJWKS(url: let url): return .flow([("jwks", .text(url))])
            case .secret:
                secrets += 1
                return .flow([("secret", .verbatim("\"${WEIR_JWT_SECRET_\(secrets)}\""))])
            }
        }
        var entries: [(String, YAMLOutput)] = [
            ("keys", .list(keys)),
            ("algorithms", .list(jwt.algorithms.map { .text($0.rawValue) })),
        ]
        if let issuer = jwt.issuer { entries.append(("issuer", .text(issuer))) }
        if !jwt.audiences.isEmpty {
            entries.append(("audience", .list(jwt.audiences.map { .text($0) })))
        }
        entries.append(("leeway", .duration(jwt.leeway)))
        if let cookie = jwt.cookie { entries.append(("cookie", .text(cookie))) }
        return entries
    }
}
