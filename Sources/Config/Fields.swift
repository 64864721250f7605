/// The keys of one mapping: readers ask for those they know, the rest is reported.
///
/// Asking for a key makes it known, so that the list for "did you mean" is never out of date.
struct Fields {
    let value: Value
    let report: Report
    private var values: [String: Value] = [:]
    private var order: [String] = []
    private var known: [String] = []
    private var missing: [(key: String, help: String?)] = []

    /// The keys of `value`, or `nil` after reporting that it is no mapping.
    init?(_ value: Value, _ report: Report, expected: String, help: String? = nil) {
        guard case .map(let entries) = value.content else {
            report.expected(expected, value, help: help)
            return nil
        }
        self.value = value
        self.report = report
        for entry in entries {
            values[entry.key] = entry.value
            order.append(entry.key)
        }
    }

    /// The value of `key`, if it is there.
    mutating func take(_ key: String) -> Value? {
        known.append(key)
        return values.removeValue(forKey: key)
    }

    /// Puts what `read` makes of the value of `key` into `setting`, which otherwise keeps its default.
    mutating func update<Setting>(
        _ key: String, _ setting: inout Setting, _ read: (Value) -> Setting?
    ) {
        if let new = take(key).flatMap(read) { setting = new }
    }

    /// The value of `key`; its absence is reported by `finish`.
    mutating func require(_ key: String, help: String? = nil) -> Value? {
        if let found = take(key) { return found }
        lack(key, help: help)
        return nil
    }

    /// Notes that `key`, already asked for, should be there.
    mutating func lack(_ key: String, help: String?) { missing.append((key, help)) }

    /// Refuses `key` as a feature this version does not have.
    mutating func refuse(_ key: String, _ feature: String, shape: Shape = .any) {
        if let found = take(key) { report.unavailable(found, feature, shape: shape) }
    }

    /// Reports all keys nobody asked for, and those that are missing; to be called last.
    func finish() {
        let strangers = order.filter { values[$0] != nil }
        for (key, help) in missing {
            // Where a misspelt key stands in its place, that one is reported, with the right word.
            if strangers.contains(where: { Spelling.nearest(to: $0, in: known) == key }) {
                continue
            }
            report.error(keyOf: value, "`\(key)` is missing", help: help)
        }
        for key in strangers {
            guard let unknown = values[key] else { continue }
            let (message, help) = Spelling.unknown("key", key, known: known.sorted())
            let place = value.path.isEmpty ? "" : "\(value.path): "
            report.error(at: unknown.keyRange ?? unknown.range, place + message, help: help)
        }
    }
}
