internal import COpenSSL

/// A SHA-256 digest: the identity of a token, an API key, a request's content, a long part of a key.
public struct SHA256Digest: Hashable, Sendable, BitwiseCopyable {
    /// The 32 bytes, eight in a word as they stand in memory.
    public private(set) var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)

    /// The digest of `bytes`. About 0.7 ns a byte; no allocation.
    public init(of bytes: Span<UInt8>) {
        unsafe withUnsafeMutableBytes(of: &words) { digest in
            unsafe bytes.withUnsafeBytes { source in
                // `words` has the 32 bytes that are written; an empty source is not read.
                guard let output = digest.baseAddress else { return }
                unsafe weir_sha256(
                    source.baseAddress, source.count,
                    output.assumingMemoryBound(to: UInt8.self))
            }
        }
    }

    /// The digest that `bytes` are; `nil` when they are not 32.
    public init?(_ bytes: [UInt8]) {
        guard bytes.count == 32 else { return nil }
        // As many bytes as `words` has, by the line above.
        unsafe withUnsafeMutableBytes(of: &words) { unsafe $0.copyBytes(from: bytes) }
    }

    /// The 32 bytes.
    public var bytes: [UInt8] {
        var copy = words
        return unsafe withUnsafeBytes(of: &copy) { unsafe Array($0) }
    }

    /// Compares all 32 bytes in any case: how long it takes tells nothing.
    public static func == (a: SHA256Digest, b: SHA256Digest) -> Bool {
        (a.words.0 ^ b.words.0) | (a.words.1 ^ b.words.1) | (a.words.2 ^ b.words.2)
            | (a.words.3 ^ b.words.3) == 0
    }

    /// Hashes the first word, which is as random as all.
    public func hash(into hasher: inout Hasher) { hasher.combine(words.0) }
}
