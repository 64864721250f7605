import HTTPModel
import Identity
import Primitives

/// Reads how tokens and API keys are verified.
extension Report {
    /// `identity.jwt`.
    func jwt(_ value: Value) -> JWTSettings? {
        let example = "{keys: [{file: issuer.pem}]}"
        guard
            var fields = Fields(
                value, self, expected: "a mapping", help: "for example `jwt: \(example)`")
        else { return nil }
        var jwt = JWTSettings(keys: [], algorithms: [])
        let keys = fields.require("keys", help: "for example `keys: [{file: issuer.pem}]`")
        let places = keys.flatMap { tokenKeys($0, &jwt) } ?? []
        if let algorithms = fields.take("algorithms") {
            self.algorithms(algorithms, places, &jwt)
        } else {
            jwt.algorithms = places.contains { $0.isPublic } ? Defaults.tokenAlgorithms : []
            checkUses(of: places, jwt.algorithms)
        }
        let issuer = fields.take("issuer")
        jwt.issuer = issuer.flatMap { plainText($0, Bounds.issuerBytes, "the `iss` of tokens") }
        if let audience = fields.take("audience") {
            if audience.isEmptyList { expected("at least one audience", audience) }
            jwt.audiences = items(audience, "audiences", atMost: Bounds.audiences).compactMap {
                plainText($0, Bounds.issuerBytes, "an `aud` of tokens")
            }
        }
        fields.update("leeway", &jwt.leeway) { duration($0, Bounds.leeway) }
        if let cookie = fields.take("cookie") {
            jwt.cookie = cookie.text
            if !Text.isToken(cookie.text ?? "") {
                expected("the name of a cookie", cookie, help: "for example `cookie: session`")
            }
        }
        fields.finish()
        return jwt
    }

    /// A source of keys as the file has it: what it is for is known even where it has a fault.
    private struct KeyPlace {
        var value: Value
        var isPublic: Bool
    }

    /// Reads the sources into `jwt`; `nil` where it is not known what each of them is for.
    private func tokenKeys(_ value: Value, _ jwt: inout JWTSettings) -> [KeyPlace]? {
        var places: [KeyPlace] = []
        var isWhole = !value.isUnusable
        if value.isEmptyList { expected("at least one source of keys", value) }
        for item in items(value, "sources of keys", atMost: Bounds.tokenKeys) {
            let help =
                "for example `{file: issuer.pem}`, `{jwks: keys.json}` or `{secret: \"${NAME}\"}`"
            guard var fields = Fields(item, self, expected: "a mapping", help: help) else {
                isWhole = false
                continue
            }
            let before = problems.count
            let file = fields.take("file")
            let jwks = fields.take("jwks")
            let secret = fields.take("secret")
            if let secret { conceal(secret) }
            fields.finish()
            let given = [file, jwks, secret].compactMap { $0 }
            guard given.count == 1, let only = given.first else {
                isWhole = false
                if problems.count == before {
                    error(
                        keyOf: item, "expected one of `file`, `jwks` and `secret`", help: help)
                }
                continue
            }
            places.append(KeyPlace(value: only, isPublic: secret == nil))
            var source: JWTSettings.KeySource?
            if let file { source = self.file(file).map { .pem(file: $0) } }
            if let jwks { source = keySet(jwks) }
            if let secret { source = self.secret(secret).map { .secret($0) } }
            guard let source else { continue }
            if jwt.keys.contains(source) { error(keyOf: only, "the same keys stand twice") }
            jwt.keys.append(source)
        }
        return isWhole ? places : nil
    }

    private func algorithms(_ value: Value, _ keys: [KeyPlace], _ jwt: inout JWTSettings) {
        let before = problems.count
        if value.isEmptyList { expected("at least one algorithm", value) }
        var places: [Value] = []
        for item in items(value, "algorithms", atMost: JWTAlgorithm.allCases.count) {
            if item.text == "none" {
                error(item, "a token without a signature proves nothing")
                continue
            }
            guard let algorithm = word(item, "algorithm", as: JWTAlgorithm.self) else { continue }
            if jwt.algorithms.contains(algorithm) { error(item, "`\(algorithm)` stands twice") }
            jwt.algorithms.append(algorithm)
            places.append(item)
        }
        // What was not understood may have been the other kind.
        guard problems.count == before, !jwt.algorithms.isEmpty, !keys.isEmpty,
            places.count == jwt.algorithms.count, !value.isUnusable
        else { return }
        if case .list(let items) = value.content, items.count != places.count { return }
        for (algorithm, place) in zip(jwt.algorithms, places) {
            let isPublic = algorithm != .HS256
            if keys.contains(where: { $0.isPublic == isPublic }) { continue }
            error(
                place, "no key could be used with `\(algorithm)`",
                help: isPublic
                    ? "a `secret` is for HS256; add a `file` or `jwks`"
                    : "HS256 needs a `secret`: a public key must never be used as one")
        }
        checkUses(of: keys, jwt.algorithms)
    }

    /// Keys that none of `algorithms` could use.
    private func checkUses(of keys: [KeyPlace], _ algorithms: [JWTAlgorithm]) {
        for key in keys {
            if algorithms.contains(where: { ($0 != .HS256) == key.isPublic }) { continue }
            let all = (algorithms.map(\.rawValue) + ["HS256"]).joined(separator: ", ")
            error(
                keyOf: key.value,
                key.isPublic
                    ? "is for signatures, and `algorithms` names none"
                    : "is for HS256, which must be named in `algorithms`",
                help: key.isPublic
                    ? "for example `algorithms: [RS256, ES256]`"
                    : "write `algorithms: [\(all)]`")
        }
    }

    /// The bytes of a secret. Its text never appears in a message.
    private func secret(_ value: Value) -> [UInt8]? {
        if value.isUnusable { return nil }
        let bounds = Bounds.secretBytes
        guard let text = value.text, bounds.contains(text.utf8.count) else {
            error(
                value,
                "expected \(bounds.lowerBound) to \(bounds.upperBound) bytes, which HS256 "
                    + "needs", help: "for example the output of `openssl rand -base64 48`")
            return nil
        }
        return Array(text.utf8)
    }

    /// A JWK set: a file, or a URL.
    private func keySet(_ value: Value) -> JWTSettings.KeySource? {
        guard let text = value.text, text.contains("://") else {
            return file(value).map { .jwks(file: $0) }
        }
        guard HTTPURL.isRight(text) else {
            expected(
                "a file, or an `http://` or `https://` URL of at most \(Bounds.urlBytes) bytes",
                value, help: "for example `https://issuer.example.com/.well-known/jwks.json`")
            return nil
        }
        return .remoteJWKS(url: text)
    }

    /// The path of a file, absolute or from the working directory. It is not opened.
    func file(_ value: Value) -> String? {
        guard let text = value.text, (1...Bounds.pathBytes).contains(text.utf8.count),
            text.unicodeScalars.allSatisfy({ $0.value >= 32 && $0.value != 0x7F })
        else {
            expected("the path of a file, of at most \(Bounds.pathBytes) bytes", value)
            return nil
        }
        return text
    }

    private func plainText(_ value: Value, _ bytes: ClosedRange<Int>, _ what: String) -> String? {
        guard let text = value.text, bytes.contains(text.utf8.count), Text.isFieldValue(text) else {
            expected(
                "\(what), of \(bytes.lowerBound) to \(bytes.upperBound) visible bytes", value)
            return nil
        }
        return text
    }

    /// `identity.api_keys`: a file, or a mapping.
    func apiKeys(_ value: Value) -> APIKeySettings? {
        let help = "for example `api_keys: {file: api-keys.yaml}`"
        guard var fields = Fields(value, self, expected: "a mapping", help: help) else {
            return nil
        }
        let file = fields.require("file", help: help)
        var header: String? = Defaults.apiKeyHeader
        if let field = fields.take("header") {
            header = ownField(field, example: "X-API-Key", allowed: header)
        }
        fields.finish()
        guard let path = file.flatMap({ self.file($0) }), let header else { return nil }
        return APIKeySettings(header: header, file: path)
    }

    /// The name, in lower case, of a field that has no meaning of its own to HTTP or to this proxy.
    func ownField(_ value: Value, example: String, allowed: String?) -> String? {
        let name = Text.lowered(value.text ?? "")
        guard Text.isToken(name), name.utf8.count <= Bounds.nameBytes else {
            expected("the name of a field", value, help: "for example `\(example)`")
            return nil
        }
        let bytes = Array(name.utf8)
        if name != allowed && FieldName(recognising: bytes.span) != .other {
            error(
                value, "`\(name)` is a field with a meaning of its own",
                help: "for example `\(example)`")
            return nil
        }
        return name
    }
}

/// URLs to fetch: `http` and `https`.
enum HTTPURL {
    /// Whether `text` has a scheme and a host, perhaps a port, a path and a query; no user and no
    /// fragment.
    static func isRight(_ text: String) -> Bool {
        guard text.utf8.count <= Bounds.urlBytes,
            text.utf8.allSatisfy({ (0x21...0x7E).contains($0) && !"#\"<>\\^`{|}".utf8.contains($0) }
            )
        else { return false }
        let schemes = ["http://", "https://"]
        guard let scheme = schemes.first(where: { text.hasPrefix($0) }) else { return false }
        let rest = text.dropFirst(scheme.count)
        return OriginURL.hostAndPort(rest.prefix { $0 != "/" && $0 != "?" }) != nil
    }
}
