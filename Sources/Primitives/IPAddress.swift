/// An IPv4 or IPv6 address: 128 bits, IPv4 in the mapped form `::ffff:a.b.c.d` (RFC 4291 §2.5.5.2).
///
/// An IPv4 client that arrives on an IPv6 socket and one that arrives on an IPv4 socket are equal.
public struct IPAddress: Hashable, Sendable, BitwiseCopyable {
    /// The first eight bytes, the first one most significant.
    public var high: UInt64
    /// The last eight bytes, the first one most significant.
    public var low: UInt64

    /// Creates an address from its 128 bits.
    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Creates an IPv4 address from its 32 bits, the first byte most significant.
    public init(v4 bits: UInt32) {
        high = 0
        low = 0x0000_FFFF_0000_0000 | UInt64(bits)
    }

    /// Whether it is an IPv4 address.
    public var isV4: Bool { high == 0 && low >> 32 == 0xFFFF }

    /// The address with all but its first `bits` (0…128) cleared; IPv4 counts from its own first bit.
    public func prefix(_ bits: Int) -> IPAddress {
        let kept = isV4 ? 96 + min(bits, 32) : min(bits, 128)
        let highMask: UInt64 = kept >= 64 ? .max : kept == 0 ? 0 : ~(.max >> UInt64(kept))
        let lowMask: UInt64 = kept >= 128 ? .max : kept <= 64 ? 0 : ~(.max >> UInt64(kept - 64))
        return IPAddress(high: high & highMask, low: low & lowMask)
    }
}

/// A block of addresses, as `10.0.0.0/8` writes it.
public struct IPNetwork: Hashable, Sendable {
    /// The first address of the block.
    public let base: IPAddress
    /// The number of leading bits that are fixed, counted as in the text: 0…32 for IPv4, 0…128 for IPv6.
    public let prefixLength: Int

    /// Creates the block of `prefixLength` fixed bits around `address`.
    public init(_ address: IPAddress, prefixLength: Int) {
        base = address.prefix(prefixLength)
        self.prefixLength = prefixLength
    }

    /// Whether `address` is of the same family and in the block.
    public func contains(_ address: IPAddress) -> Bool {
        address.isV4 == base.isV4 && address.prefix(prefixLength) == base
    }
}
