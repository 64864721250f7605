import YAMLReader

/// A value of the file with its key's path, after the environment was put in.
struct Value {
    enum Content {
        /// No value, `~` or `null`.
        case null
        case scalar(String)
        case list([Value])
        /// Keys in order; each value knows its key's place.
        case map([Entry])
        /// Reported before; readers take a stand-in and stay silent.
        case unusable
    }

    struct Entry {
        var key: String
        var value: Value
    }

    var content: Content
    var range: YAMLRange
    /// Where it is in the file's terms: `limits.login.burst`, `listen[1]`; empty for the root.
    var path: String
    /// The place of its key; `nil` for the root and for list items.
    var keyRange: YAMLRange?
    /// The environment variables whose values are in it.
    var variables: [String] = []

    /// The text of a scalar.
    var text: String? {
        guard case .scalar(let text) = content else { return nil }
        return text
    }

    var isNull: Bool {
        guard case .null = content else { return false }
        return true
    }

    /// Whether a problem with it was reported before it was read.
    var isUnusable: Bool {
        guard case .unusable = content else { return false }
        return true
    }

    /// The line on which its key, or else itself, stands.
    var line: Int { (keyRange ?? range).start.line }

    /// What stands there, in words.
    var found: String {
        switch content {
        case .null, .unusable: "nothing"
        case .list(let items): items.isEmpty ? "an empty list" : "a list"
        case .map(let entries): entries.isEmpty ? "an empty mapping" : "a mapping"
        case .scalar(let text) where variables.isEmpty: "\"\(Self.shortened(text))\""
        case .scalar(let text): "\"\(Self.shortened(text))\" from \(variableNames)"
        }
    }

    private var variableNames: String { variables.map { "${\($0)}" }.joined(separator: ", ") }

    /// `text` fit for one line of a message.
    static func shortened(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars.prefix(Bounds.quotedText) {
            let isPlain = scalar.value >= 32 && !(0x7F...0x9F).contains(scalar.value)
            result.append(isPlain ? scalar : "?")
        }
        return String(result) + (text.unicodeScalars.count > Bounds.quotedText ? "…" : "")
    }
}

extension Value {
    /// Converts a node and everything below it, replacing `${NAME}` in every scalar value.
    init(_ node: YAMLNode, path: String, keyRange: YAMLRange?, _ environment: Environment) {
        self.path = path
        self.keyRange = keyRange
        range = node.range
        if node.isNull {
            content = .null
            return
        }
        switch node.content {
        case .scalar(let text, _):
            content = .unusable
            if let replaced = environment.replace(text, at: node.range, path: path) {
                content = .scalar(replaced.text)
                variables = replaced.variables
            }
        case .sequence(let items):
            content = .list(
                items.enumerated().map { index, item in
                    Value(item, path: "\(path)[\(index)]", keyRange: nil, environment)
                })
        case .mapping(let entries):
            content = .map(
                entries.map { entry in
                    let key = Self.shortened(entry.key)
                    let inner = path.isEmpty ? key : "\(path).\(key)"
                    let value = Value(
                        entry.value, path: inner, keyRange: entry.keyRange, environment)
                    return Entry(key: entry.key, value: value)
                })
        }
    }
}
