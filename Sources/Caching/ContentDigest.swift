/// The SHA-256 digest of a request's content: 32 bytes, eight in a word as they stand in memory.
///
/// It stands in keys, which are compared in full. Two contents of one digest are not known to exist, so the
/// content itself need not be kept for a comparison.
public struct ContentDigest: Sendable, BitwiseCopyable, Equatable {
    /// The bytes, the first one least significant in the first word.
    public let words: (UInt64, UInt64, UInt64, UInt64)

    /// Takes the words of a digest.
    public init(_ words: (UInt64, UInt64, UInt64, UInt64)) { self.words = words }

    /// Whether all 32 bytes are equal.
    public static func == (a: ContentDigest, b: ContentDigest) -> Bool {
        (a.words.0 ^ b.words.0) | (a.words.1 ^ b.words.1) | (a.words.2 ^ b.words.2)
            | (a.words.3 ^ b.words.3) == 0
    }

    /// Appends the 64 hexadecimal digits.
    public func append(to key: inout [UInt8]) {
        append(words.0, to: &key)
        append(words.1, to: &key)
        append(words.2, to: &key)
        append(words.3, to: &key)
    }

    private func append(_ word: UInt64, to key: inout [UInt8]) {
        var rest = word
        for _ in 0..<8 {
            key.append(digit(UInt8(truncatingIfNeeded: rest >> 4) & 15))
            key.append(digit(UInt8(truncatingIfNeeded: rest) & 15))
            rest >>= 8
        }
    }

    private func digit(_ value: UInt8) -> UInt8 { value < 10 ? 48 + value : 87 + value }
}
