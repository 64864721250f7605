/// The form of a part of the schema whose feature is not there yet: its keys are checked all the
/// same.
indirect enum Shape: Sendable {
    /// Anything.
    case any
    /// A scalar.
    case scalar
    /// A list, or a single item, of that form.
    case list(Shape)
    /// A mapping with these keys.
    case map([String: Shape])
    /// A mapping with any keys to values of that form.
    case named(Shape)
    /// A scalar or what follows.
    case scalarOr(Shape)

    /// Reports wrong types and unknown keys in `value`.
    func check(_ value: Value, _ report: Report) {
        switch self {
        case .any:
            return
        case .scalar:
            if value.text == nil && !value.isNull { report.expected("a single value", value) }
        case .scalarOr(let other):
            if value.text == nil && !value.isNull { other.check(value, report) }
        case .list(let item):
            guard case .list(let items) = value.content else { return item.check(value, report) }
            for inner in items { item.check(inner, report) }
        case .named(let item):
            guard case .map(let entries) = value.content else {
                return report.expected("a mapping", value)
            }
            for entry in entries { item.check(entry.value, report) }
        case .map(let shapes):
            guard var fields = Fields(value, report, expected: "a mapping") else { return }
            for (key, shape) in shapes {
                if let inner = fields.take(key) { shape.check(inner, report) }
            }
            fields.finish()
        }
    }
}

extension Shape {
    private static func scalars(_ keys: String...) -> Shape {
        .map(Dictionary(uniqueKeysWithValues: keys.map { ($0, Shape.scalar) }))
    }

    static let tls = scalars("certificate", "key", "client_ca")
    static let servers = Shape.list(.scalarOr(scalars("url", "weight")))
    static let retries = Shape.map([
        "attempts": .scalar, "on": .list(.scalar), "backoff": .scalar, "budget": .scalar,
    ])
    static let health = scalars("path", "interval", "timeout", "healthy", "unhealthy")
    static let breaker = scalars("error_rate", "window", "minimum", "open")
    static let canary = Shape.map([
        "servers": servers, "weight": .scalar, "steps": .list(.scalar),
        "rollback": scalars("error_rate", "latency_p95"),
    ])
    static let tracing = scalars("otlp", "sample")
}
