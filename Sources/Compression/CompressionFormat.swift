/// What an encoder writes, and how hard it tries.
public enum CompressionFormat: Sendable, BitwiseCopyable, Equatable {
    /// The gzip format (RFC 1952) at a level of 1, fast, to 9, small.
    case gzip(level: Int)
    /// Brotli (RFC 7932) at a quality of 0, fast, to 11, small and very slow.
    case brotli(quality: Int)

    /// The levels of gzip.
    public static let gzipLevels = 1...9
    /// The qualities of brotli.
    public static let brotliQualities = 0...11
}
