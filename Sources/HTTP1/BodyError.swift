/// Why a body cannot be read on. The connection it came from must be closed.
public enum BodyError: UInt8, Error, Sendable, BitwiseCopyable, CaseIterable {
    /// A chunk size that is not 1 to 15 hexadecimal digits, or more after them than an extension.
    case malformedChunkSize
    /// A control byte, or a CR or LF alone, in a chunk extension.
    case malformedChunkExtension
    /// Extensions of one chunk, or of all chunks compared with the data, beyond their bound.
    case chunkExtensionsTooLong
    /// Chunk data that no CRLF follows.
    case malformedChunkEnd
    /// A trailer line that would be refused in a head.
    case malformedTrailer
    /// A trailer section beyond its bounds.
    case trailersTooLarge
    /// The connection ended before the body did.
    case truncated

    /// The reason in a few words, the same in the answer, the log and the metrics.
    public var reason: StaticString {
        switch self {
        case .malformedChunkSize: "malformed chunk size"
        case .malformedChunkExtension: "malformed chunk extension"
        case .chunkExtensionsTooLong: "chunk extensions too long"
        case .malformedChunkEnd: "malformed chunk end"
        case .malformedTrailer: "malformed trailer"
        case .trailersTooLarge: "trailers too large"
        case .truncated: "truncated body"
        }
    }
}
