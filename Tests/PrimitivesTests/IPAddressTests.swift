import Primitives
import Testing

struct IPAddressTests {
    @Test func `IPv4 addresses are the mapped ones`() {
        let address = IPAddress(v4: 0x0A01_0203)
        #expect(address.isV4)
        #expect(address == IPAddress(high: 0, low: 0x0000_FFFF_0A01_0203))
        #expect(!IPAddress(high: 0, low: 1).isV4)
        #expect(!IPAddress(high: 1, low: 0x0000_FFFF_0A01_0203).isV4)
        #expect(!IPAddress(high: 0, low: 0x0001_FFFF_0A01_0203).isV4)
    }

    @Test func `a prefix keeps exactly so many bits of an IPv6 address`() {
        let ones = IPAddress(high: .max, low: .max)
        for bits in 0...128 {
            let kept = ones.prefix(bits)
            // Bit by bit: the first `bits` are set, the others are not.
            let set = (0..<128).map { index in
                let word = index < 64 ? kept.high : kept.low
                return word >> UInt64(63 - index % 64) & 1 == 1
            }
            #expect(set == (0..<128).map { $0 < bits })
        }
        #expect(ones.prefix(200) == ones)
    }

    @Test func `a prefix of an IPv4 address counts from its own first bit, and stays IPv4`() {
        let ones = IPAddress(v4: .max)
        for bits in 0...32 {
            let mask: UInt32 = bits == 0 ? 0 : .max << UInt32(32 - bits)
            #expect(ones.prefix(bits) == IPAddress(v4: mask))
        }
        #expect(ones.prefix(64) == ones)
    }

    @Test func `a network holds the addresses of its block and family, and no others`() {
        let ten = IPNetwork(IPAddress(v4: 0x0A63_0102), prefixLength: 8)
        #expect(ten.base == IPAddress(v4: 0x0A00_0000))
        #expect(ten.contains(IPAddress(v4: 0x0AFF_FFFF)))
        #expect(!ten.contains(IPAddress(v4: 0x0B00_0000)))
        #expect(!ten.contains(IPAddress(high: 0, low: 0x0A00_0000)))

        let everyV6 = IPNetwork(IPAddress(high: 0, low: 0), prefixLength: 0)
        #expect(everyV6.contains(IPAddress(high: .max, low: 1)))
        #expect(!everyV6.contains(IPAddress(v4: 1)))
        let everyV4 = IPNetwork(IPAddress(v4: 0), prefixLength: 0)
        #expect(everyV4.contains(IPAddress(v4: .max)))
        #expect(!everyV4.contains(IPAddress(high: 0, low: 0)))

        let site = IPNetwork(IPAddress(high: 0x2001_0db8_0000_0001, low: 5), prefixLength: 64)
        #expect(site.contains(IPAddress(high: 0x2001_0db8_0000_0001, low: .max)))
        #expect(!site.contains(IPAddress(high: 0x2001_0db8_0000_0002, low: 5)))
    }
}
