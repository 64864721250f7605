import Caching
import HTTPModel
import Primitives

/// Reads what goes past a route's cache, and the field by which an origin names a lifetime.
extension Report {
    /// `{headers: [X-No-Cache], cookies: {session: ~}, query: {nocache: "1"}}`.
    func bypass(_ value: Value) -> BypassRules {
        var rules = BypassRules()
        let help = "for example `{headers: [X-No-Cache], cookies: [session], query: [nocache]}`"
        guard
            var fields = Fields(
                value, self, expected: "a mapping with `headers`, `cookies` or `query`", help: help)
        else { return rules }
        if let headers = fields.take("headers") {
            rules.headers = conditions(headers, "header fields", isName: Text.isToken)
            for index in rules.headers.indices {
                rules.headers[index].name = Text.lowered(rules.headers[index].name)
            }
        }
        if let cookies = fields.take("cookies") {
            rules.cookies = conditions(cookies, "cookies", isName: Text.isToken)
        }
        if let query = fields.take("query") {
            rules.query = conditions(query, "query parameters") { name in
                !name.isEmpty && name.utf8.count <= Bounds.nameBytes
                    && name.utf8.allSatisfy {
                        (0x21...0x7E).contains($0) && !"&=#".utf8.contains($0)
                    }
            }
        }
        fields.finish()
        return rules
    }

    /// A mapping of names to values (`~`: any value), or a list of names.
    private func conditions(
        _ value: Value, _ what: String, isName: (String) -> Bool
    ) -> [BypassRules.Condition] {
        var conditions: [BypassRules.Condition] = []
        func add(_ name: String, _ wanted: String?, _ place: Value) {
            if !isName(name) {
                error(place, "\"\(Value.shortened(name))\" is no name among \(what)")
            } else if conditions.contains(where: { Text.lowered($0.name) == Text.lowered(name) }) {
                error(place, "`\(name)` stands twice")
            }
            conditions.append(BypassRules.Condition(name: name, value: wanted))
        }
        guard case .map(let entries) = value.content else {
            for item in items(value, what, atMost: Bounds.bypass) {
                if let name = text(item, "a name") { add(name, nil, item) }
            }
            return conditions
        }
        if entries.count > Bounds.bypass {
            error(keyOf: value, "at most \(Bounds.bypass) \(what), found \(entries.count)")
        }
        for entry in entries {
            if !entry.value.isNull && entry.value.text.map(Text.isFieldValue) != true {
                expected("a value, or `~` for any", entry.value)
            }
            add(entry.key, entry.value.text, entry.value)
        }
        return conditions
    }

    /// `off` or the name of a field that means nothing else.
    func originTTL(_ value: Value) -> [UInt8] {
        if value.text == "off" { return [] }
        guard let name = value.text, Text.isToken(name), name.utf8.count <= Bounds.nameBytes else {
            expected(
                "`off` or the name of a header field", value, help: "for example `X-Accel-Expires`")
            return []
        }
        let lower = Array(Text.lowered(name).utf8)
        if FieldName(recognising: lower.span) != .other {
            error(
                value, "`\(name)` has a meaning of its own",
                help: "name a field that the origin sends to caches in front of it alone, such as "
                    + "`X-Accel-Expires`")
        }
        return lower
    }
}
