import HTTPModel
import Primitives
import Routes
import Settings

/// Reads which requests a route matches besides its path.
extension Report {
    func conditions(_ fields: inout Fields, _ route: inout ParsedRoute) {
        let before = problems.count
        if let methods = fields.take("methods") {
            route.settings.match.methods = self.methods(methods)
        }
        if let host = fields.take("host") { route.settings.match.host = self.host(host) }
        if let headers = fields.take("headers") {
            route.settings.match.headers = self.headers(headers)
        }
        route.hasRightConditions = problems.count == before
    }

    private func methods(_ value: Value) -> [String] {
        if value.isEmptyList { expected("at least one method", value) }
        var methods: [String] = []
        for item in items(value, "methods", atMost: Bounds.methods) {
            guard let text = item.text, Text.isToken(text), text.utf8.count <= Bounds.nameBytes
            else {
                expected("a method", item, help: "for example `methods: [GET, POST]`")
                continue
            }
            let known = Method.allCases.map { "\($0.text)" }.filter { !$0.isEmpty }
            let upper = text.uppercased()
            if text == "CONNECT" || text == "TRACE" {
                error(item, "\(text) is refused before routes are looked at")
            } else if upper != text && known.contains(upper) {
                error(item, "methods are case-sensitive; did you mean `\(upper)`?")
            } else if methods.contains(text) {
                error(item, "`\(text)` stands twice")
            }
            methods.append(text)
        }
        return methods
    }

    private func host(_ value: Value) -> String? {
        guard let text = value.text else {
            expected("a host name", value, help: "for example `api.example.com` or `*.example.com`")
            return nil
        }
        let name = text.hasPrefix("*.") ? text.dropFirst(2) : text[...]
        let isAddress =
            name.hasPrefix("[") && IPAddress(parsing: String(name.dropFirst().dropLast())) != nil
        guard OriginURL.isHostName(name) || isAddress else {
            expected(
                "a host name without port", value,
                help: "for example `api.example.com` or `*.example.com`")
            return nil
        }
        return Text.lowered(text)
    }

    /// `headers:` a mapping of names to values (`~`: any value), or a list of names.
    private func headers(_ value: Value) -> [RouteDefinition.HeaderCondition] {
        var conditions: [RouteDefinition.HeaderCondition] = []
        func add(_ name: String, _ value: String?, _ place: Value) {
            let lower = Text.lowered(name)
            if !Text.isToken(name) {
                error(
                    keyOf: place, "\"\(Value.shortened(name))\" is not the name of a header field")
            } else if conditions.contains(where: { $0.name == lower }) {
                error(keyOf: place, "`\(name)` stands twice")
            }
            conditions.append(RouteDefinition.HeaderCondition(name: lower, value: value))
        }
        guard case .map(let entries) = value.content else {
            for item in items(value, "header fields", atMost: Bounds.routeHeaders) {
                if let name = text(item, "the name of a header field") { add(name, nil, item) }
            }
            return conditions
        }
        if entries.count > Bounds.routeHeaders {
            error(
                keyOf: value, "at most \(Bounds.routeHeaders) header fields, found \(entries.count)"
            )
        }
        for entry in entries {
            let value = entry.value
            if !value.isNull && value.text.map(Text.isFieldValue) != true {
                expected("the value of a header field, or `~` for any", value)
            }
            add(entry.key, value.text, value)
        }
        return conditions
    }
}
