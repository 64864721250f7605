import Config
import Identity
import Primitives
import Settings
import Testing

private let secret = "0123456789abcdef0123456789abcdef"
private let environment = ["JWT_SECRET": secret, "OTHER": String(secret.reversed())]

private func identity(_ text: String) throws -> IdentitySettings {
    try settings(frame + "identity:\n" + text, environment).identity
}

@Test func `tokens are read with all their keys`() throws {
    let jwt = try identity(
        """
          jwt:
            keys:
              - file: keys/2026-10.pem
              - {jwks: keys/set.json}
              - {jwks: "https://issuer.example.com/.well-known/jwks.json?v=1"}
              - {jwks: "http://[::1]:8080/keys"}
              - {secret: "${JWT_SECRET}"}
            algorithms: [ES256, HS256]
            issuer: issuer.example.com
            audience: api
            leeway: 1m
            cookie: session
          user: jwt.sub

        """
    ).jwt
    #expect(
        jwt?.keys == [
            .pem(file: "keys/2026-10.pem"), .jwks(file: "keys/set.json"),
            .remoteJWKS(url: "https://issuer.example.com/.well-known/jwks.json?v=1"),
            .remoteJWKS(url: "http://[::1]:8080/keys"), .secret(Array(secret.utf8)),
        ])
    #expect(jwt?.algorithms == [.ES256, .HS256] && jwt?.issuer == "issuer.example.com")
    #expect(jwt?.audiences == ["api"] && jwt?.leeway == .seconds(60) && jwt?.cookie == "session")
}

@Test func `tokens have defaults, none of which takes a public key for a secret`() throws {
    let jwt = try #require(try identity("  {jwt: {keys: {file: a.pem}}, user: jwt.sub}\n").jwt)
    #expect(jwt.algorithms == [.RS256, .PS256, .ES256, .EdDSA])
    #expect(jwt.issuer == nil && jwt.audiences == [] && jwt.cookie == nil)
    #expect(jwt.leeway == .seconds(30))
}

@Test func `API keys are read, with x-api-key as the field`() throws {
    let read = try identity("  {api_keys: {file: k.yaml}, user: api_key.user}\n")
    #expect(read.apiKeys == APIKeySettings(header: "x-api-key", file: "k.yaml"))
    let named = try identity("  {api_keys: {file: k.yaml, header: X-Token}, tier: api_key.tier}\n")
    #expect(named.apiKeys?.header == "x-token" && named.tier == [.apiKey(.tier)])
}

@Test func `a part of the identity has one source or several, in order`() throws {
    let read = try identity(
        """
          trusted_proxies: 10.0.0.0/8
          jwt: {keys: [{file: a.pem}]}
          api_keys: {file: k.yaml}
          user: [jwt.sub, api_key.user, header:X-User, cookie:uid]
          company: jwt.https://a.b/company
          tier: {from: [api_key.tier, jwt.plan], default: free}

        """)
    #expect(
        read.user == [.claim("sub"), .apiKey(.user), .header("x-user"), .cookie("uid")])
    #expect(read.company == [.claim("https://a.b/company")])
    #expect(read.tier == [.apiKey(.tier), .claim("plan")] && read.defaultTier == "free")
}

@Test func `the origin gets the identity under names that can be chosen or left out`() throws {
    #expect(try settings(frame).identity.forwarded == ForwardedIdentity())
    let off = try identity("  {forwarded: off}\n").forwarded
    #expect(off.user == nil && off.company == nil && off.tier == nil)
    let some = try identity("  {forwarded: {user: X-Remote-User, tier: off}}\n").forwarded
    #expect(some.user == "x-remote-user" && some.company == "x-weir-company" && some.tier == nil)
}

/// What stands in `identity`, and the only problem it must give, without its place.
private let wrong: [(identity: String, message: String)] = [
    ("{user: jwt.sub}", "identity.user: `identity.jwt` is not set"),
    ("{user: api_key.user}", "identity.user: `identity.api_keys` is not set"),
    ("{user: [cookie:a, cookie:a]}", "identity.user[1]: `cookie:a` stands twice"),
    ("{user: []}", "identity.user: expected at least one source, found an empty list"),
    (
        "{user: 'cookie:a b'}",
        "identity.user: expected `jwt.CLAIM`, `api_key.PART`, `header:NAME` or `cookie:NAME`, "
            + "found \"cookie:a b\""
    ),
    (
        "{user: [cookie:a, header:X]}",
        "identity.user[1]: header fields are believed from `trusted_proxies` only, and none is named"
    ),
    (
        "{api_keys: {file: f}, user: api_key.name}",
        "identity.user: unknown source `api_key.name`; did you mean `api_key.user`?"
    ),
    (
        "{jwt: {keys: [{file: f}]}, user: jwt.}",
        "identity.user: expected `jwt.` and the name of a claim, found \"jwt.\""
    ),
    ("{jwt: {keys: [{file: f}]}}", "identity.jwt: tokens would be verified, but not used"),
    (
        "{jwt: {keys: [{file: f}]}, user: cookie:a}",
        "identity.jwt: tokens would be verified, but not used"
    ),
    ("{api_keys: {file: f}}", "identity.api_keys: API keys would be looked up, but not used"),
    ("{api_keys: {header: X-K}, user: api_key.user}", "identity.api_keys: `file` is missing"),
    (
        "{api_keys: {file: f, header: Host}, user: api_key.user}",
        "identity.api_keys.header: `host` is a field with a meaning of its own"
    ),
    (
        "{forwarded: {user: Authorization}}",
        "identity.forwarded.user: `authorization` is a field with a meaning of its own"
    ),
    (
        "{forwarded: {tier: Content-Length}}",
        "identity.forwarded.tier: `content-length` is a field with a meaning of its own"
    ),
    (
        "{forwarded: {tier: X-Forwarded-For}}",
        "identity.forwarded.tier: `x-forwarded-for` is a field with a meaning of its own"
    ),
    (
        "{forwarded: {user: 'a b'}}",
        "identity.forwarded.user: expected the name of a field, found \"a b\""
    ),
    (
        "{forwarded: {user: X-Weir-Tier}}",
        "identity.forwarded: two parts cannot have the same field"
    ),
    ("{forwarded: on}", "identity.forwarded: expected `off` or a mapping, found \"on\""),
]

@Test(arguments: wrong)
func `an identity that nobody could have is refused with one message`(
    identity: String, message: String
) {
    let found = messages(frame + "identity: \(identity)\n")
    #expect(found.map { String($0.drop { $0 != " " }.dropFirst()) } == [message])
}

/// What stands in `identity.jwt`, and the only problem it must give, without its place.
private let wrongTokens: [(jwt: String, message: String)] = [
    ("{}", "identity.jwt: `keys` is missing"),
    ("a.pem", "identity.jwt: expected a mapping, found \"a.pem\""),
    ("{keys: []}", "identity.jwt.keys: expected at least one source of keys, found an empty list"),
    ("{keys: a.pem}", "identity.jwt.keys: expected a mapping, found \"a.pem\""),
    (
        "{keys: [{file: a, jwks: b}]}",
        "identity.jwt.keys[0]: expected one of `file`, `jwks` and `secret`"
    ),
    ("{keys: [{}]}", "identity.jwt.keys[0]: expected one of `file`, `jwks` and `secret`"),
    (
        "{keys: [{fle: a}], algorithms: HS256}",
        "identity.jwt.keys[0]: unknown key `fle`; did you mean `file`?"
    ),
    ("{keys: [{file: a}, {file: a}]}", "identity.jwt.keys[1].file: the same keys stand twice"),
    (
        "{keys: [{file: ''}]}",
        "identity.jwt.keys[0].file: expected the path of a file, of at most 1024 bytes, found \"\""
    ),
    (
        "{keys: [{secret: tooshort}], algorithms: HS256}",
        "identity.jwt.keys[0].secret: expected 32 to 1024 bytes, which HS256 needs"
    ),
    (
        "{keys: [{secret: '${JWT_SECRET}'}]}",
        "identity.jwt.keys[0].secret: is for HS256, which must be named in `algorithms`"
    ),
    (
        "{keys: [{secret: '${JWT_SECRET}'}, {file: a}]}",
        "identity.jwt.keys[0].secret: is for HS256, which must be named in `algorithms`"
    ),
    (
        "{keys: [{secret: '${JWT_SECRET}'}], algorithms: [HS256, RS256]}",
        "identity.jwt.algorithms[1]: no key could be used with `RS256`"
    ),
    (
        "{keys: [{file: a}], algorithms: [RS256, HS256]}",
        "identity.jwt.algorithms[1]: no key could be used with `HS256`"
    ),
    (
        "{keys: [{secret: '${JWT_SECRET}'}, {file: a}], algorithms: [HS256]}",
        "identity.jwt.keys[1].file: is for signatures, and `algorithms` names none"
    ),
    (
        "{keys: [{file: a}], algorithms: [none]}",
        "identity.jwt.algorithms[0]: a token without a signature proves nothing"
    ),
    (
        "{keys: [{file: a}], algorithms: [RS265]}",
        "identity.jwt.algorithms[0]: unknown algorithm `RS265`; did you mean `RS256`?"
    ),
    (
        "{keys: [{file: a}], algorithms: [RS256, RS256]}",
        "identity.jwt.algorithms[1]: `RS256` stands twice"
    ),
    (
        "{keys: [{file: a}], algorithms: []}",
        "identity.jwt.algorithms: expected at least one algorithm, found an empty list"
    ),
    (
        "{keys: [{file: a}], leeway: 61s}",
        "identity.jwt.leeway: expected a duration from 0s to 1m, found \"61s\""
    ),
    (
        "{keys: [{file: a}], audience: []}",
        "identity.jwt.audience: expected at least one audience, found an empty list"
    ),
    (
        "{keys: [{file: a}], cookie: 'a b'}",
        "identity.jwt.cookie: expected the name of a cookie, found \"a b\""
    ),
]

@Test(arguments: wrongTokens)
func `keys and algorithms that do not fit are refused with one message`(
    jwt: String, message: String
) {
    let found = messages(frame + "identity: {user: jwt.sub, jwt: \(jwt)}\n", environment)
    #expect(found.map { String($0.drop { $0 != " " }.dropFirst()) } == [message])
}

@Test(arguments: [
    "ftp://a/b", "http://", "https:///keys", "https://u:p@a/keys", "https://a/k#x", "https://a b/",
    "https://a:0/", "https://a:99999/", "HTTP://a/", "https://[::1/", "https://a/\u{e9}",
])
func `what is no URL of keys is refused`(url: String) {
    let found = messages(frame + "identity: {user: jwt.sub, jwt: {keys: [{jwks: '\(url)'}]}}\n")
    #expect(
        found.count == 1 && found[0].contains("expected a file, or an `http://` or `https://` URL"))
}

@Test func `a user who must be proven cannot come from a cookie alone`() throws {
    let routes = "routes:\n  - {path: /a, auth: required}\n"
    #expect(
        messages(frame + "identity: {user: cookie:uid}\n" + routes) == [
            "5:16 routes[0].auth: `identity.user` comes from a cookie, which proves nothing"
        ])
    let token = "jwt: {keys: [{file: a}], cookie: session}"
    let proven = try settings(
        frame + "identity: {\(token), user: [cookie:uid, jwt.sub]}\n" + routes)
    #expect(proven.routes[0].requiresUser)
    // Where nothing must be proven, a cookie is good enough to count by.
    #expect(try settings(frame + "identity: {user: cookie:uid}\n").identity.user.count == 1)
}

@Test func `tokens are used by a source, by a scope, or by a route that requires a user`() throws {
    let jwt = "jwt: {keys: [{file: a}]}"
    #expect(messages(frame + "identity: {\(jwt)}\nlimits: [1/s per claim:org]\n") == [])
    let proxy = "trusted_proxies: 10.0.0.0/8, user: header:X-User"
    #expect(messages(frame + "identity: {\(jwt), \(proxy)}\n").count == 1)
    #expect(
        messages(
            frame + "identity: {\(jwt), \(proxy)}\nroutes: [{path: /a, auth: required}]\n") == [])
}

@Test func `secrets never appear in a message or in the long form`() throws {
    // In clear, in a variable, too short, and beside another fault on the same line.
    for text in [
        "identity: {user: jwt.sub, jwt: {keys: [{secret: verysecretbutshort}], algorithms: HS256}}\n",
        "identity: {user: jwt.sub, jwt: {keys: [{secret: \"${S}\"}], algorithms: HS256}}\n",
        "identity: {user: jwt.sub, jwt: {keys: [{secret: verysecretbutshort\(secret)}]}}\n",
        "admin: {address: 127.0.0.1:1, token: verysecretbutshort, tokn: x}\n",
    ] {
        guard case .failure(let failure) = load(frame + text, ["S": "verysecretbutshort"]) else {
            Issue.record("loaded")
            continue
        }
        #expect(!failure.description.contains("verysecret"))
        #expect(failure.description.contains("proxy.yaml:3:"))
    }
    let loaded = try settings(
        frame
            + "identity: {user: jwt.sub, jwt: {keys: [{secret: \"${JWT_SECRET}\"}, {file: a}, "
            + "{secret: \"${OTHER}\"}], algorithms: [HS256, RS256]}}\n", environment)
    let long = Configuration.longForm(loaded)
    #expect(!long.contains(secret) && !long.contains(String(secret.reversed())))
    #expect(
        long.contains(
            "{secret: \"${WEIR_JWT_SECRET_1}\"}, {file: a}, {secret: \"${WEIR_JWT_SECRET_2}\"}"))
    #expect(load(long, secrets(of: loaded)) == .success(loaded))
    #expect(secrets(of: loaded)["WEIR_JWT_SECRET_2"] == String(secret.reversed()))
}
