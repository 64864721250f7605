import YAMLReader

/// Collects the problems of one run. Readers report and go on with a stand-in value.
final class Report {
    private(set) var problems: [ConfigurationProblem] = []
    /// Lines with secrets in them, which are never shown.
    private(set) var concealed: Set<Int> = []
    private let lines: [String]

    init(lines: [String]) { self.lines = lines }

    /// Keeps the lines of `value`, which is a secret, out of all messages.
    func conceal(_ value: Value) {
        concealed.formUnion(
            value.range.start.line...max(value.range.start.line, value.range.end.line))
    }

    /// Reports a problem at `range`.
    func error(at range: YAMLRange, _ message: String, help: String? = nil) {
        let index = range.start.line - 1
        let lineLength = lines.indices.contains(index) ? lines[index].unicodeScalars.count : 0
        problems.append(
            ConfigurationProblem(
                line: range.start.line, column: range.start.column,
                length: range.underline(lineLength: lineLength), message: message, help: help))
    }

    /// Reports what is wrong with a value, underlining the value.
    func error(_ value: Value, _ message: String, help: String? = nil) {
        error(
            at: value.range, value.path.isEmpty ? message : "\(value.path): \(message)", help: help)
    }

    /// Reports what is wrong with an entry as a whole, underlining its key.
    func error(keyOf value: Value, _ message: String, help: String? = nil) {
        error(
            at: value.keyRange ?? value.range,
            value.path.isEmpty ? message : "\(value.path): \(message)", help: help)
    }

    /// Reports a value of the wrong form. Values that are unusable were reported before.
    func expected(_ what: String, _ value: Value, help: String? = nil) {
        if case .unusable = value.content { return }
        error(value, "expected \(what), found \(value.found)", help: help)
    }

    /// Reports a word that is none of `known`.
    func unknownWord(_ value: Value, _ word: String, kind: String, known: [String]) {
        let (message, help) = Spelling.unknown(kind, word, known: known)
        error(value, message, help: help)
    }

    /// Reports a part of the schema that this version does not have, and what is wrong inside it.
    func unavailable(_ value: Value, _ feature: String, shape: Shape = .any) {
        error(keyOf: value, "\(feature) is not available in this version")
        shape.check(value, self)
    }
}
