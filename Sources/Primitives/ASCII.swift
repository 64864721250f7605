/// Character classes and comparisons of protocol text. Bytes beyond 127 belong to no class.
public enum ASCII {
    /// Carriage return.
    public static let cr: UInt8 = 13
    /// Line feed.
    public static let lf: UInt8 = 10
    /// Horizontal tab.
    public static let tab: UInt8 = 9
    /// Space.
    public static let space: UInt8 = 32

    /// `A`…`Z` become `a`…`z`; all other bytes stay.
    public static func lower(_ byte: UInt8) -> UInt8 {
        byte &- 65 < 26 ? byte | 0x20 : byte
    }
    /// Eight bytes at once, in any order.
    static func lower(_ word: UInt64) -> UInt64 {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let sevenBits = word & (ones &* 0x7F)
        // The top bit of each byte: set from `A` on, from after `Z` on. No sum reaches the next byte.
        let fromA = sevenBits &+ ones &* (128 - 65)
        let afterZ = sevenBits &+ ones &* (128 - 91)
        let capitals = (fromA ^ afterZ) & ~word & (ones &* 0x80)
        return word | capitals >> 2
    }
    /// Whether `byte` is `0`…`9`.
    public static func isDigit(_ byte: UInt8) -> Bool { byte &- 48 < 10 }
    /// Whether `byte` is a letter.
    public static func isAlpha(_ byte: UInt8) -> Bool { (byte | 0x20) &- 97 < 26 }
    /// The value of a hexadecimal digit, or `nil`.
    public static func hexValue(_ byte: UInt8) -> UInt8? {
        if byte &- 48 < 10 { return byte &- 48 }
        let letter = (byte | 0x20) &- 97
        return letter < 6 ? letter + 10 : nil
    }
    /// Whether `byte` may stand in a token (RFC 9110 §5.6.2).
    @inlinable
    public static func isToken(_ byte: UInt8) -> Bool {
        // Two 64-bit sets: the bytes 0…63 and 64…127.
        let set: UInt64 = byte < 64 ? 0x03FF_6CFA_0000_0000 : 0x57FF_FFFF_C7FF_FFFE
        return byte < 128 && (set >> UInt64(byte & 63)) & 1 == 1
    }
    /// Whether `byte` may stand in a field value: visible, space, tab or beyond ASCII (RFC 9110 §5.5).
    public static func isFieldContent(_ byte: UInt8) -> Bool {
        (byte >= 32 && byte != 127) || byte == tab
    }
}
