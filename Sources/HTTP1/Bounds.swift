/// What a message's head may use; set from the configuration.
public struct HeadBounds: Sendable, BitwiseCopyable {
    /// Bytes of the whole head: start line, fields and the empty line. Beyond: 431, or 414 when not even
    /// the request line ends within them.
    public var headerBytes: Int
    /// Field lines. Beyond: 431.
    public var fields: Int
    /// Bytes of the request target. Beyond: 414. Without meaning for responses.
    public var targetBytes: Int

    /// Creates bounds; each is at least 1.
    public init(headerBytes: Int, fields: Int, targetBytes: Int) {
        precondition(headerBytes > 0)
        precondition(fields > 0)
        precondition(targetBytes > 0)
        self.headerBytes = headerBytes
        self.fields = fields
        self.targetBytes = targetBytes
    }
}

/// The bounds of the protocol that no configuration changes.
enum Bounds {
    /// Empty lines skipped before a request line (RFC 9112 §2.2).
    static let leadingEmptyLines = 4
    /// Bytes of a method's name; the longest registered one has 17.
    static let methodBytes = 32
    /// Bytes of all Connection values of one message: every forwarded field is compared with them.
    static let connectionBytes = 1024
    /// Digits of a chunk size; 15 hexadecimal digits stay below 2⁶⁰.
    static let chunkSizeDigits = 15
    /// Bytes of one chunk's extensions.
    static let chunkExtensionBytes = 256
    /// Bytes by which the extensions of a body may exceed its data at any point.
    static let chunkOverheadBytes = 4096
    /// Bytes of a chunked body's whole trailer section.
    static let trailerBytes = 8192
    /// Fields of a trailer section.
    static let trailerFields = 64
}
