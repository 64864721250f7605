/// One YAML text, read whole: its root node and everything that is wrong with its form.
///
/// Reading never fails halfway in silence: where there are problems, `root` holds what could be
/// read (nothing after a syntax error) and must only be used to look for more problems.
public struct YAMLDocument: Sendable {
    /// The root, or `nil` for a text without content or with a syntax error.
    public let root: YAMLNode?
    /// What is wrong, in the order found; empty for a good text.
    public let problems: [YAMLProblem]

    /// Reads a text in UTF-8, with or without a byte order mark.
    ///
    /// Refused with a problem: what libyaml cannot parse, bytes that are not UTF-8, control
    /// characters, anchors, aliases and tags, equal keys in a mapping, keys that are not scalars, a
    /// second document, and anything beyond `bounds`.
    ///
    /// - Complexity: O(bytes); nothing is expanded.
    public init(reading bytes: [UInt8], bounds: YAMLBounds = YAMLBounds()) {
        var builder = TreeBuilder(bounds: bounds)
        root = builder.build(bytes)
        problems = builder.problems
    }
}

/// How large a YAML text may be.
public struct YAMLBounds: Sendable {
    /// Bytes of the text.
    public var bytes = 1 << 20
    /// Collections within collections.
    public var depth = 32
    /// Scalars and collections, keys included.
    public var nodes = 100_000
    /// Problems that are reported before reading stops.
    public var problems = 100

    /// Creates the bounds a configuration file has.
    public init() {}
}

/// Something wrong with the form of a YAML text.
public struct YAMLProblem: Error, Equatable, Sendable {
    /// What it is.
    public enum Kind: Sendable, Equatable {
        /// Beyond a bound.
        case tooLarge
        /// Not UTF-8, or a character that may not stand in YAML.
        case encoding
        /// What libyaml could not parse.
        case syntax
        /// A part of YAML that is not supported on purpose: anchors, aliases, tags, documents.
        case unsupported
        /// A key that stands twice in one mapping.
        case duplicateKey
    }

    /// What it is.
    public var kind: Kind
    /// Where it is.
    public var range: YAMLRange
    /// What is wrong, without the place.
    public var message: String
    /// A way out, if there is an obvious one.
    public var help: String?

    /// Creates a problem.
    public init(kind: Kind, range: YAMLRange, message: String, help: String? = nil) {
        self.kind = kind
        self.range = range
        self.message = message
        self.help = help
    }
}
