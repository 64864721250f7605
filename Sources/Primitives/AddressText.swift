/// An address and its canonical text: at most 39 bytes, kept inline.
///
/// Eight bytes to a word, the first one least significant, so that the text of an IPv4 address is put together in
/// registers.
public struct AddressText: BitwiseCopyable, Sendable {
    /// The address.
    public let address: IPAddress
    @usableFromInline var words = InlineArray<5, UInt64>(repeating: 0)
    /// The number of bytes.
    @inlinable public var count: Int { length }
    @usableFromInline var length = 0

    /// The text of `address`, as `IPAddress.description` has it.
    public init(_ address: IPAddress) {
        self.address = address
        if address.isV4 {
            appendV4()
        } else {
            appendV6()
        }
    }

    private mutating func appendV4() {
        var text: UInt128 = 0
        var octets = address.low
        for _ in 0..<4 {
            // From the last one on: what is there already moves behind it.
            let octet = AddressText.octets[Int(octets & 255)]
            let bytes = 4 &- octet.leadingZeroBitCount / 8
            text = text &<< UInt128(8 * bytes) | UInt128(octet)
            length &+= bytes
            octets >>= 8
        }
        // Behind the last octet there is no dot.
        length &-= 1
        words[0] = UInt64(truncatingIfNeeded: text)
        words[1] = UInt64(truncatingIfNeeded: text >> 64)
    }

    /// Each octet's digits and a dot behind them.
    private static let octets = InlineArray<256, UInt32> { octet in
        var text = UInt32(UInt8(ascii: "."))
        var rest = UInt32(octet)
        repeat {
            text = text << 8 | (48 + rest % 10)
            rest /= 10
        } while rest > 0
        return text
    }

    /// The byte at `index`, below `count`.
    fileprivate subscript(index: Int) -> UInt8 {
        UInt8(truncatingIfNeeded: words[index >> 3] >> UInt64(8 * (index & 7)))
    }

    private mutating func append(_ byte: UInt8) {
        words[length >> 3] |= UInt64(byte) << UInt64(8 * (length & 7))
        length += 1
    }

    private mutating func appendHex(_ group: UInt16) {
        var started = false
        for shift in stride(from: 12, through: 0, by: -4) {
            let digit = UInt8(truncatingIfNeeded: (group >> shift) & 15)
            started = started || digit > 0 || shift == 0
            if started { append(digit < 10 ? 48 + digit : 87 + digit) }
        }
    }

    private mutating func appendV6() {
        var groups = InlineArray<8, UInt16>(repeating: 0)
        for i in groups.indices {
            let word = i < 4 ? address.high : address.low
            groups[i] = UInt16(truncatingIfNeeded: word >> UInt64(48 - 16 * (i & 3)))
        }
        let gap = AddressText.longestZeroRun(groups)
        var i = 0
        while i < 8 {
            if i == gap.lowerBound && !gap.isEmpty {
                append(UInt8(ascii: ":"))
                append(UInt8(ascii: ":"))
                i = gap.upperBound
                continue
            }
            if i > 0 && i != gap.upperBound { append(UInt8(ascii: ":")) }
            appendHex(groups[i])
            i += 1
        }
    }

    /// The first of the longest runs of two or more zero groups (RFC 5952 §4.2); empty at 8: none.
    private static func longestZeroRun(_ groups: InlineArray<8, UInt16>) -> Range<Int> {
        var longest = 8..<8
        var start = 0
        for i in groups.indices {
            if groups[i] != 0 {
                start = i + 1
            } else if i + 1 - start > max(longest.count, 1) {
                longest = start..<(i + 1)
            }
        }
        return longest
    }
}

extension ByteBuffer {
    /// Appends the canonical text of `address`, as `IPAddress.description` has it.
    public func append(_ address: IPAddress) { append(AddressText(address)) }
}

extension Array where Element == UInt8 {
    /// Appends the canonical text of `address`, as `IPAddress.description` has it.
    public mutating func append(_ address: IPAddress) {
        let text = AddressText(address)
        for index in 0..<text.count { append(text[index]) }
    }
}
