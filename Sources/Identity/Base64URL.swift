import Primitives

/// Base64url without padding (RFC 4648 §5, RFC 7515 §2), strict: no white space, no `=`, no other alphabet, and the
/// bits of the last letter that carry nothing are zero. So there is one text for each sequence of bytes, and
/// no letter of a token can be changed without changing what it says.
enum Base64URL {
    /// Appends the bytes that `text` stands for; on `false` what was appended means nothing.
    static func decode(_ text: Span<UInt8>, to output: inout [UInt8]) -> Bool {
        var bits: UInt32 = 0
        var held: UInt32 = 0
        for i in text.indices {
            guard let value = value(of: text[i]) else { return false }
            bits = bits << 6 | value
            held += 6
            if held >= 8 {
                held -= 8
                output.append(UInt8(truncatingIfNeeded: bits >> held))
            }
        }
        // Six bits left over are a letter too many; two or four must be zero.
        return held < 6 && bits & ((1 << held) - 1) == 0
    }

    private static func value(of letter: UInt8) -> UInt32? {
        switch letter {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(letter - UInt8(ascii: "A"))
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(letter - UInt8(ascii: "a")) + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(letter - UInt8(ascii: "0")) + 52
        case UInt8(ascii: "-"): 62
        case UInt8(ascii: "_"): 63
        default: nil
        }
    }
}
