import Primitives
import Testing

@Test(arguments: [
    ("0.0.0.0", "0.0.0.0"), ("192.0.2.255", "192.0.2.255"),
    ("::", "::"), ("::1", "::1"), ("1::", "1::"),
    ("2001:DB8:0:0:0:0:0:1", "2001:db8::1"),
    ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
    ("2001:0:0:1:0:0:0:1", "2001:0:0:1::1"),
    ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
    ("0:0:1:0:0:0:0:0", "0:0:1::"),
    ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"),
    ("::ffff:192.0.2.1", "192.0.2.1"), ("::FFFF:c000:201", "192.0.2.1"),
    ("64:ff9b::192.0.2.33", "64:ff9b::c000:221"), ("1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"),
    ("fe80::00ab:0:10", "fe80::ab:0:10"),
])
func `an address is written in its canonical form`(text: String, canonical: String) {
    #expect(IPAddress(parsing: text)?.description == canonical)
    let buffer = ByteBuffer(capacity: 64)
    if let address = IPAddress(parsing: text) { buffer.append(address) }
    #expect(buffer.readable.text == canonical)
}

@Test(arguments: [
    "", "1", "1.2.3", "1.2.3.4.5", "1.2.3.", ".1.2.3", "1..2.3", "01.2.3.4", "1.2.3.256",
    "1.2.3.4 ",
    " 1.2.3.4", "1.2.3.-4", "0x1.2.3.4", "1.2.3.1000", ":", ":::", "1:", ":1", "::1:", "1::2::3",
    "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8::", "::1:2:3:4:5:6:7:8", "12345::",
    "g::",
    "fe80::1%eth0", "[::1]", "::1.2.3", "1.2.3.4::", "::1.2.3.4:5", "1:2:3:4:5:6:7:1.2.3.4",
    "::ffff:01.2.3.4", "::1 ", "1:::2",
])
func `text that is not exactly an address is refused`(text: String) {
    #expect(IPAddress(parsing: text) == nil)
}

@Test func `what is written can be read back, whatever the address`() {
    var random = SeededRandom(seed: 5952)
    for _ in 0..<20_000 {
        // Groups of zero are common, so that runs of every length and place occur.
        var words: [UInt64] = [0, 0]
        for i in 0..<8 where random.below(2) == 0 {
            words[i / 4] |= (random.next() & 0xFFFF) << UInt64(i % 4 * 16)
        }
        let address = IPAddress(high: words[0], low: words[1])
        let text = address.description
        #expect(IPAddress(parsing: text) == address)
        #expect(text.utf8.count <= 39)
        let v4 = IPAddress(v4: UInt32(truncatingIfNeeded: random.next()))
        #expect(IPAddress(parsing: v4.description) == v4)
    }
}

@Test func `every octet is written in decimal digits, wherever it stands`() {
    for octet in UInt32(0)...255 {
        for shift in stride(from: UInt32(0), through: 24, by: 8) {
            let octets = (0..<4).map { shift == 24 - 8 * UInt32($0) ? octet : 7 &* octet & 255 }
            let bits = octets.reduce(UInt32(0)) { $0 << 8 | $1 }
            let text = octets.map(String.init).joined(separator: ".")
            #expect(IPAddress(v4: bits).description == text)
            var bytes: [UInt8] = [1]
            bytes.append(IPAddress(v4: bits))
            #expect(bytes == [1] + Array(text.utf8))
        }
    }
}

@Test(arguments: [
    ("10.0.0.0/8", "10.0.0.0/8"), ("10.1.2.3/8", "10.0.0.0/8"), ("0.0.0.0/0", "0.0.0.0/0"),
    ("192.0.2.7", "192.0.2.7/32"), ("2001:db8::/32", "2001:db8::/32"), ("::/0", "::/0"),
    ("::1", "::1/128"), ("::ffff:10.0.0.0/104", "10.0.0.0/8"),
])
func `a block of addresses is read with its length`(text: String, canonical: String) {
    #expect(IPNetwork(parsing: text)?.description == canonical)
}

@Test(arguments: [
    "", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/08", "10.0.0.0/8/8", "10/8",
    "::/129", "::ffff:10.0.0.0/95", "10.0.0.0/ 8", "10.0.0.0/256", "localhost/8",
])
func `text that is not a block is refused`(text: String) {
    #expect(IPNetwork(parsing: text) == nil)
}

@Test func `blocks of one family never contain addresses of the other`() throws {
    let everyV4 = try #require(IPNetwork(parsing: "0.0.0.0/0"))
    let everyV6 = try #require(IPNetwork(parsing: "::/0"))
    let v4 = try #require(IPAddress(parsing: "10.0.0.1"))
    let v6 = try #require(IPAddress(parsing: "::1"))
    #expect(everyV4.contains(v4))
    #expect(!everyV4.contains(v6))
    #expect(everyV6.contains(v6))
    #expect(!everyV6.contains(v4))
}
