import Caching
import Primitives

/// Reads the parts of `vary_by`.
extension Report {
    func varyBy(_ value: Value) -> [CachePolicy.VaryBy] {
        var parts: [CachePolicy.VaryBy] = []
        for item in items(value, "parts of keys", atMost: Bounds.keyParts) {
            guard let part = keyPart(item) else { continue }
            if parts.contains(part) { error(item, "`\(Value.shortened(part.text))` stands twice") }
            parts.append(part)
        }
        return parts
    }

    private func keyPart(_ item: Value) -> CachePolicy.VaryBy? {
        let text = item.text ?? ""
        if let part = CachePolicy.VaryBy.words.first(where: { $0.text == text }) { return part }
        if text.hasPrefix("header:") {
            let name = Text.lowered(String(text.dropFirst(7)))
            guard Text.isToken(name), name.utf8.count <= Bounds.nameBytes else {
                expected(
                    "`header:` and the name of a field", item, help: "for example `header:X-Tenant`"
                )
                return nil
            }
            if let help = Report.secretFields[name] {
                error(item, "`\(name)` would put credentials into keys", help: help)
                return nil
            }
            return .header(name)
        }
        if text.hasPrefix("cookie:") {
            let name = String(text.dropFirst(7))
            guard Text.isToken(name), name.utf8.count <= Bounds.nameBytes else {
                expected(
                    "`cookie:` and the name of a cookie", item, help: "for example `cookie:theme`")
                return nil
            }
            return .cookie(name)
        }
        guard item.text != nil else {
            expected("a part of keys", item, help: "for example `user` or `header:X-Tenant`")
            return nil
        }
        unknownWord(
            item, text, kind: "part",
            known: CachePolicy.VaryBy.words.map(\.text) + ["header:NAME", "cookie:NAME"])
        return nil
    }

    /// Fields that no key may hold, and what to write instead.
    private static let secretFields = [
        "authorization": "write `user`, `company` or `tier`, which are verified",
        "proxy-authorization": "write `user`, `company` or `tier`, which are verified",
        "cookie": "name the cookie, for example `cookie:theme`",
    ]
}
