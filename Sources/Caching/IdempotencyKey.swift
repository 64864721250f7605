import Primitives

/// Reads the field Idempotency-Key (standards S8): a String of RFC 9651, or a bare word as many clients send it.
public enum IdempotencyKey {
    /// Appends the key that `value` is, without quotes and escapes.
    ///
    /// `"abc"` and `abc` are one key. Parameters behind a String are ignored. A key has 1 to 255 visible
    /// characters, in quotes also spaces; a bare word has no quote, comma, semicolon or backslash.
    ///
    /// - Returns: `false` when it is anything else; what `key` has then does not count.
    public static func append(_ value: Span<UInt8>, to key: inout [UInt8]) -> Bool {
        let text = value.trimmed
        let start = key.count
        guard text.count > 0 else { return false }
        guard text[0] == UInt8(ascii: "\"") else {
            for i in text.indices {
                switch text[i] {
                case UInt8(ascii: "\""), UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: "\\"):
                    return false
                case 0x21...0x7E: key.append(text[i])
                default: return false
                }
            }
            return key.count - start <= CacheBounds.idempotencyKeyBytes
        }
        var i = 1
        while i < text.count {
            let byte = text[i]
            switch byte {
            case UInt8(ascii: "\""):
                let rest = text.extracting((i + 1)..<text.count).trimmed
                let count = key.count - start
                return (rest.count == 0 || rest[0] == UInt8(ascii: ";"))
                    && count > 0 && count <= CacheBounds.idempotencyKeyBytes
            case UInt8(ascii: "\\"):
                i += 1
                guard i < text.count,
                    text[i] == UInt8(ascii: "\"") || text[i] == UInt8(ascii: "\\")
                else { return false }
                key.append(text[i])
            case 0x20...0x7E: key.append(byte)
            default: return false
            }
            i += 1
        }
        return false
    }
}
