extension IPAddress: CustomStringConvertible {
    /// Reads a whole address: `192.0.2.1`, or IPv6 in any form of RFC 4291 §2.2.
    ///
    /// Strict, because addresses decide trust: no leading zeros or missing parts in IPv4, no zone
    /// (`%eth0`), no brackets, no white space. `::ffff:192.0.2.1` is the IPv4 address 192.0.2.1.
    ///
    /// - Returns: `nil` when the bytes are anything else.
    public init?(parsing text: Span<UInt8>) {
        if let bits = IPAddress.v4Bits(text) {
            self.init(v4: bits)
        } else if let bits = IPAddress.v6Bits(text) {
            self.init(
                high: UInt64(truncatingIfNeeded: bits >> 64), low: UInt64(truncatingIfNeeded: bits))
        } else {
            return nil
        }
    }

    /// Reads a whole address from a `String`, for configuration and tests.
    public init?(parsing text: String) {
        self.init(parsing: Array(text.utf8).span)
    }

    /// The canonical text: dotted decimal, or RFC 5952 for IPv6.
    public var description: String {
        let text = ByteBuffer(capacity: 64)
        text.append(self)
        return text.readable.text
    }

    private static func v4Bits(_ text: Span<UInt8>) -> UInt32? {
        guard text.count >= 7 && text.count <= 15 else { return nil }
        var bits: UInt32 = 0
        var octet: UInt32 = 0
        var digits = 0
        var dots = 0
        for i in text.indices {
            let byte = text[i]
            if byte == UInt8(ascii: ".") {
                guard digits > 0 && dots < 3 else { return nil }
                bits = bits << 8 | octet
                octet = 0
                digits = 0
                dots += 1
            } else {
                // `octet == 0` after a digit is a leading zero, which some readers take as octal.
                guard ASCII.isDigit(byte), digits == 0 || octet != 0 else { return nil }
                octet = octet * 10 + UInt32(byte &- 48)
                guard octet <= 255 else { return nil }
                digits += 1
            }
        }
        return dots == 3 && digits > 0 ? bits << 8 | octet : nil
    }

    private static func v6Bits(_ text: Span<UInt8>) -> UInt128? {
        let end = text.count
        guard end >= 2 && end <= 45 else { return nil }
        var groups = GroupReader()
        var i = 0
        if text[0] == UInt8(ascii: ":") {
            guard text[1] == UInt8(ascii: ":"), groups.leaveGap() else { return nil }
            i = 2
        }
        while i < end {
            let start = i
            var group: UInt16 = 0
            while i < end && i - start < 4, let digit = ASCII.hexValue(text[i]) {
                group = group << 4 | UInt16(digit)
                i += 1
            }
            guard i > start else { return nil }
            if i < end && text[i] == UInt8(ascii: ".") {
                // The last two groups may be written as an IPv4 address.
                guard let bits = v4Bits(text.extracting(start..<end)),
                    groups.add(UInt16(bits >> 16)),
                    groups.add(UInt16(truncatingIfNeeded: bits))
                else { return nil }
                break
            }
            guard groups.add(group) else { return nil }
            if i == end { break }
            guard text[i] == UInt8(ascii: ":"), i + 1 < end else { return nil }
            i += 1
            if text[i] == UInt8(ascii: ":") {
                guard groups.leaveGap() else { return nil }
                i += 1
            }
        }
        return groups.value
    }
}

/// The groups of an IPv6 text, before and after its `::`.
private struct GroupReader {
    private var head: UInt128 = 0
    private var tail: UInt128 = 0
    private var headCount = 0
    private var tailCount = 0
    private var hasGap = false

    /// Adds a group; `false` when there is no room for it.
    mutating func add(_ group: UInt16) -> Bool {
        if hasGap {
            tail = tail << 16 | UInt128(group)
            tailCount += 1
        } else {
            head = head << 16 | UInt128(group)
            headCount += 1
        }
        // A gap stands for one group at least.
        return headCount + tailCount <= (hasGap ? 7 : 8)
    }

    /// Notes the `::`; `false` when it is the second, or nothing is left for it to stand for.
    mutating func leaveGap() -> Bool {
        if hasGap || headCount > 7 { return false }
        hasGap = true
        return true
    }

    /// The 128 bits, or `nil` when groups are missing.
    var value: UInt128? {
        guard hasGap || headCount == 8 else { return nil }
        return head << (128 - 16 * headCount) | tail
    }
}

extension IPNetwork: CustomStringConvertible {
    /// Reads `10.0.0.0/8`, `2001:db8::/32`, or a single address, which is a block of one.
    ///
    /// Bits beyond the prefix are ignored. `::ffff:10.0.0.0/104` is the IPv4 block 10.0.0.0/8.
    ///
    /// - Returns: `nil` when the bytes are anything else, or the length exceeds that of the family.
    public init?(parsing text: Span<UInt8>) {
        let slash = text.firstIndex(of: UInt8(ascii: "/")) ?? text.count
        let addressText = text.extracting(0..<slash)
        guard let address = IPAddress(parsing: addressText) else { return nil }
        guard slash < text.count else {
            self.init(address, prefixLength: address.isV4 ? 32 : 128)
            return
        }
        let lengthText = text.extracting((slash + 1)..<text.count)
        guard lengthText.count <= 3, let length = lengthText.decimalValue,
            lengthText.count == 1 || lengthText[0] != UInt8(ascii: "0")
        else { return nil }
        let isMapped = address.isV4 && addressText.firstIndex(of: UInt8(ascii: ":")) != nil
        let lowest: UInt64 = isMapped ? 96 : 0
        let highest: UInt64 = address.isV4 && !isMapped ? 32 : 128
        guard length >= lowest && length <= highest else { return nil }
        self.init(address, prefixLength: Int(length - lowest))
    }

    /// Reads a block from a `String`, for configuration and tests.
    public init?(parsing text: String) {
        self.init(parsing: Array(text.utf8).span)
    }

    /// The block as `base/length`.
    public var description: String { "\(base)/\(prefixLength)" }
}
