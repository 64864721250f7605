import Primitives
import Testing

struct ASCIITests {
    private let all = UInt8.min...UInt8.max

    @Test func `the classes of all 256 bytes are those of the grammar`() {
        let tokens = Set(
            "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ".utf8)
        let letters = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ".utf8)
        let digits = Set("0123456789".utf8)
        for byte in all {
            #expect(ASCII.isToken(byte) == tokens.contains(byte))
            #expect(ASCII.isAlpha(byte) == letters.contains(byte))
            #expect(ASCII.isDigit(byte) == digits.contains(byte))
            let isContent = byte == 9 || (byte >= 32 && byte != 127)
            #expect(ASCII.isFieldContent(byte) == isContent)
        }
    }

    @Test func `only letters have a lower case, only hexadecimal digits a value`() {
        for byte in all {
            let isUpper = byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z")
            #expect(ASCII.lower(byte) == (isUpper ? byte + 32 : byte))
            let value = byte < 128 ? UInt8(String(UnicodeScalar(byte)), radix: 16) : nil
            #expect(ASCII.hexValue(byte) == value)
        }
    }
}
