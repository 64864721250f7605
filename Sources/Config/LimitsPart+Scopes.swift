import Limits
import Primitives

/// Reads whom a limit counts.
extension Report {
    /// `per:` a scope, `user and endpoint`, or a list of scopes; `nil` after a fault.
    func scopes(_ value: Value) -> [LimitDefinition.Scope]? {
        var places: [(Value, String)] = []
        if let text = value.text {
            let words = text.split { $0 == " " || $0 == "," }.filter { $0 != "and" }
            places = words.map { (value, String($0)) }
            if places.count > Bounds.scopes {
                error(value, "at most \(Bounds.scopes) scopes, found \(places.count)")
                return nil
            }
        } else {
            for item in items(value, "scopes", atMost: Bounds.scopes) {
                guard let text = item.text else {
                    expected("a scope", item, help: "for example `ip` or `user`")
                    continue
                }
                places.append((item, text))
            }
        }
        if places.isEmpty, value.text != nil || value.isEmptyList {
            expected("a scope", value, help: "for example `per: ip` or `per: [user, endpoint]`")
        }
        var scopes: [LimitDefinition.Scope] = []
        var isWhole = !places.isEmpty
        if case .list(let items) = value.content { isWhole = items.count == places.count }
        for (place, text) in places {
            guard let scope = scope(place, text) else {
                isWhole = false
                continue
            }
            if scopes.contains(scope) { error(place, "`\(text)` stands twice") }
            scopes.append(scope)
        }
        if scopes.count > 1, scopes.contains(.global) {
            error(value, "`global` counts everybody together and stands alone")
        }
        return scopes.isEmpty || !isWhole ? nil : scopes
    }

    private func scope(_ value: Value, _ text: String) -> LimitDefinition.Scope? {
        if let scope = LimitDefinition.Scope.words.first(where: { $0.text == text }) {
            return scope
        }
        if text.hasPrefix("header:") {
            let name = Text.lowered(String(text.dropFirst(7)))
            guard Text.isToken(name), name.utf8.count <= Bounds.nameBytes else {
                error(
                    value, "expected `header:` and the name of a field",
                    help: "for example `header:X-Tenant`")
                return nil
            }
            return .header(name)
        }
        if text.hasPrefix("claim:") {
            let name = String(text.dropFirst(6))
            guard Self.isClaim(name) else {
                error(
                    value, "expected `claim:` and the name of a claim",
                    help: "for example `claim:org`")
                return nil
            }
            return .claim(name)
        }
        unknownWord(
            value, text, kind: "scope",
            known: LimitDefinition.Scope.words.map(\.text) + ["header:NAME", "claim:NAME"])
        return nil
    }

    /// Whether `name` can be the name of a claim: visible ASCII, but a comma, which lists need.
    static func isClaim(_ name: String) -> Bool {
        Bounds.claimBytes.contains(name.utf8.count)
            && name.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != UInt8(ascii: ",") }
    }
}
