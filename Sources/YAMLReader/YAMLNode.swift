/// A value of a YAML text with its place: a scalar, a sequence or a mapping.
///
/// Scalars are not typed here: `5`, `"5"` and `true` are texts with a style; the reader of the
/// schema knows what it wants. That keeps `no`, `1e3` and `0777` from becoming something else.
public struct YAMLNode: Sendable {
    /// How a scalar was written.
    public enum ScalarStyle: Sendable {
        /// Without quotes.
        case plain
        /// In single or double quotes.
        case quoted
        /// As a block, with `|` or `>`.
        case block
    }

    /// What the node is.
    public enum Content: Sendable {
        /// A text, escapes and folding resolved.
        case scalar(String, ScalarStyle)
        /// A list in order.
        case sequence([YAMLNode])
        /// Keys with values in the order of the text; of equal keys the first one only.
        case mapping([YAMLEntry])
    }

    /// What it is.
    public var content: Content
    /// Where it stands.
    public var range: YAMLRange

    /// Creates a node.
    public init(content: Content, range: YAMLRange) {
        self.content = content
        self.range = range
    }

    /// Whether it is nothing at all: no value, `~` or `null` without quotes.
    public var isNull: Bool {
        guard case .scalar(let text, .plain) = content else { return false }
        return text.isEmpty || text == "~" || text == "null"
    }
}

/// One `key: value` of a mapping.
public struct YAMLEntry: Sendable {
    /// The key's text.
    public var key: String
    /// Where the key stands.
    public var keyRange: YAMLRange
    /// The value.
    public var value: YAMLNode

    /// Creates an entry.
    public init(key: String, keyRange: YAMLRange, value: YAMLNode) {
        self.key = key
        self.keyRange = keyRange
        self.value = value
    }
}
