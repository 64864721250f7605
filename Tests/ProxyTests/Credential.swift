import Identity

/// Tokens signed with HS256 by `secret`, valid until 2030 but for `old`; and an API key.
enum Credential {
    static let secret = "0123456789abcdef0123456789abcdef"
    static let apiKey = "weir-test-key-7Jq2"
    static var keys: CredentialKeys {
        CredentialKeys(
            tokens: [.secret(Array(secret.utf8))],
            apiKeys: APIKeyTable([
                APIKeyEntry(
                    digest: APIKeyEntry.digest(of: Array(apiKey.utf8)), user: "robot",
                    company: "acme", tier: "internal")
            ]))
    }

    /// An `identity:` that looks at both.
    static let identity = """
        identity:
          trusted_proxies: [10.4.0.0/16]
          jwt: {keys: [{secret: "0123456789abcdef0123456789abcdef"}], algorithms: [HS256]}
          api_keys: {header: X-API-Key, file: keys.yaml}
          user: [jwt.sub, api_key.user, header:X-User, cookie:uid]
          company: [jwt.company, api_key.company]
          tier: {from: [jwt.plan, api_key.tier], default: free}

        """

    static let alice =
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbGljZSIsImNvbXBhbnkiOiJhY21"
        + "lIiwicGxhbiI6InBybyIsIm9yZyI6ImJsdWUiLCJleHAiOjE4OTM0NTYwMDB9.E29Gb458"
        + "Hl6L1d-cSesTfcEGO-XACpgg86PgYiWoQbg"
    static let bob =
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJib2IiLCJvcmciOiJyZWQiLCJleHA"
        + "iOjE4OTM0NTYwMDB9.cw569U7gsbJFcINAo5EJuHKthwCUazRMyLgk0ZX47Xs"
        + ""
    static let odd =
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIGIsIDElS8O2bG5cIiIsImNvbXB"
        + "hbnkiOiJldmlsXHJcblgtRXZpbDogMSIsImV4cCI6MTg5MzQ1NjAwMH0.VrNd60hnsv-k9"
        + "zcTbzWELxhSfQQvO5PFoYhiQWrBjFc"
    static let old =
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbGljZSIsImV4cCI6MTcwMDAwMDA"
        + "wMH0.7GzD_8IHufw7fUzWSy_h1AtBn5TOqo4ABEuF7QdQebs"
        + ""
    static let forged =
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbGljZSIsImNvbXBhbnkiOiJhY21"
        + "lIiwicGxhbiI6InBybyIsIm9yZyI6ImJsdWUiLCJleHAiOjE4OTM0NTYwMDB9.E29Gb458"
        + "Hl6L1d-cSesTfcEGO-XACpgg86PAAAAAAAA"

    static func bearer(_ token: String) -> String { "Authorization: Bearer \(token)" }
}
