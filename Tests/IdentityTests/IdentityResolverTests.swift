import HTTPModel
import Identity
import Primitives
import Testing

private func settings(trusted: [String] = ["10.0.0.0/8", "fd00::/8"]) -> IdentitySettings {
    var settings = IdentitySettings()
    settings.trustedProxies = trusted.compactMap { IPNetwork(parsing: $0) }
    settings.user = [.header("x-user-id")]
    settings.company = [.header("x-company")]
    settings.tier = [.header("x-api-key")]
    return settings
}

private func client(
    _ fields: [(String, String)], peer: String = "10.0.0.1",
    _ settings: IdentitySettings = settings()
) -> String {
    var identity = ResolvedIdentity()
    IdentityResolver(settings).resolve(
        peer: address(peer), request: request(fields), credentials: nobody,
        at: WallTime(nanoseconds: 0), into: &identity)
    return identity.address.description
}

@Test(
    arguments: [
        // What the field says; who that is.
        (["203.0.113.9"], "203.0.113.9"),
        (["6.6.6.6, 203.0.113.9"], "203.0.113.9"),
        (["6.6.6.6", "203.0.113.9"], "203.0.113.9"),
        (["203.0.113.9, 10.0.0.2"], "203.0.113.9"),
        (["203.0.113.9", "10.0.0.3,10.0.0.2"], "203.0.113.9"),
        (["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
        (["203.0.113.9:4711"], "203.0.113.9"),
        (["2001:db8::1"], "2001:db8::1"),
        (["[2001:db8::1]"], "2001:db8::1"),
        (["[2001:db8::1]:443, fd00::7"], "2001:db8::1"),
        (["::ffff:203.0.113.9"], "203.0.113.9"),
        ([" \t203.0.113.9\t"], "203.0.113.9"),
        // Garbage ends the walk at the last good address.
        ([""], "10.0.0.1"), ([","], "10.0.0.1"), (["203.0.113.9,"], "10.0.0.1"),
        (["unknown"], "10.0.0.1"), (["203.0.113.9, unknown"], "10.0.0.1"),
        (["203.0.113.9, , 10.0.0.2"], "10.0.0.2"), (["localhost, 10.0.0.2"], "10.0.0.2"),
        (["203.0.113.9:"], "10.0.0.1"), (["203.0.113.9:99999"], "10.0.0.1"),
        (["203.0.113.9:4x"], "10.0.0.1"), (["203.0.113.009"], "10.0.0.1"),
        (["[2001:db8::1"], "10.0.0.1"), (["[203.0.113.9]"], "10.0.0.1"),
        (["2001:db8::1]:80"], "10.0.0.1"), (["[2001:db8::1]x"], "10.0.0.1"),
        (["\"203.0.113.9\""], "10.0.0.1"), (["_hidden, 10.9.9.9"], "10.9.9.9"),
    ] as [([String], String)])
func `the client is the first address from the right that no trusted proxy has`(
    lines: [String], expected: String
) {
    #expect(client(lines.map { ("X-Forwarded-For", $0) }) == expected)
}

@Test(
    arguments: [
        (["for=203.0.113.9"], "203.0.113.9"),
        (["For=203.0.113.9;proto=https;by=10.0.0.1"], "203.0.113.9"),
        (["proto=https; for=\"203.0.113.9:4711\" ; host=a"], "203.0.113.9"),
        (["for=\"[2001:db8:cafe::17]:4711\""], "2001:db8:cafe::17"),
        (["for=\"[2001:db8::1]\", for=10.0.0.2"], "2001:db8::1"),
        (["for=[2001:db8::1]"], "2001:db8::1"),
        (["for=6.6.6.6", "for=203.0.113.9, for=\"10.0.0.2:_port\""], "203.0.113.9"),
        (["for=6.6.6.6;host=\"a,b\\\",c\", for=203.0.113.9"], "203.0.113.9"),
        (["for=203.0.113.9;host=\"a,for=6.6.6.6\""], "203.0.113.9"),
        // A client's open quote cannot swallow what the proxies appended.
        (["for=\", for=203.0.113.9"], "203.0.113.9"),
        (["for=6.6.6.6;host=\", for=\"[2001:db8::1]\";proto=http"], "2001:db8::1"),
        (["for=\\\", for=203.0.113.9, for=10.0.0.2"], "203.0.113.9"),
        // Not an address, or malformed: the walk ends.
        (["for=unknown"], "10.0.0.1"), (["for=_secret, for=10.0.0.2"], "10.0.0.2"),
        (["proto=https"], "10.0.0.1"), (["for=203.0.113.9;for=203.0.113.8"], "10.0.0.1"),
        (["for"], "10.0.0.1"), (["for="], "10.0.0.1"), (["203.0.113.9"], "10.0.0.1"),
        (["for=\"203.0.113.9"], "10.0.0.1"), (["for=203.0.113.9;"], "10.0.0.1"),
        (["for =203.0.113.9"], "10.0.0.1"), (["for=\"2001:db8::1\""], "10.0.0.1"),
        (["for=203.0.113.9;x=a b"], "10.0.0.1"), (["for=\"203.0.113.9\"x"], "10.0.0.1"),
    ] as [([String], String)])
func `Forwarded is walked like X-Forwarded-For`(lines: [String], expected: String) {
    #expect(client(lines.map { ("Forwarded", $0) }) == expected)
}

@Test func `X-Forwarded-For decides when both fields are there`() {
    let fields = [("Forwarded", "for=6.6.6.6"), ("X-Forwarded-For", "203.0.113.9")]
    #expect(client(fields) == "203.0.113.9")
    #expect(client([("Forwarded", "for=6.6.6.6"), ("X-Forwarded-For", "unknown")]) == "10.0.0.1")
}

@Test func `a peer that is not trusted is the client, whatever it says`() {
    let fields = [
        ("X-Forwarded-For", "203.0.113.9"), ("Forwarded", "for=203.0.113.9"), ("X-User-ID", "root"),
        ("X-Company", "acme"), ("X-API-Key", "internal"),
    ]
    var identity = ResolvedIdentity()
    let resolver = IdentityResolver(settings())
    resolver.resolve(
        peer: address("198.51.100.1"), request: request(fields), credentials: nobody,
        at: WallTime(nanoseconds: 0), into: &identity)
    #expect(identity.address == address("198.51.100.1"))
    #expect(identity.peerIsTrusted == false)
    #expect(identity.texts.user == nil)
    #expect(identity.texts.company == nil)
    #expect(identity.texts.tier == nil)
}

@Test func `the walk ends after its bound`() {
    let hops = (1...200).map { "10.0.1.\($0)" }.joined(separator: ", ")
    #expect(client([("X-Forwarded-For", "203.0.113.9, " + hops)]) == "10.0.1.137")
}

@Test func `IPv6 is counted by its prefix, IPv4 whole`() {
    var short = settings()
    short.ipv6Prefix = 48
    let resolver = IdentityResolver(short)
    #expect(resolver.counted(address("2001:db8:1:2:3::4")) == address("2001:db8:1::"))
    #expect(resolver.counted(address("203.0.113.9")) == address("203.0.113.9"))
    var identity = ResolvedIdentity()
    resolver.resolve(
        peer: address("2001:db8:1:2:3::4"), request: request(), credentials: nobody,
        at: WallTime(nanoseconds: 0), into: &identity)
    #expect(identity.address == address("2001:db8:1:2:3::4"))
    #expect(identity.countedAddress == address("2001:db8:1::"))
}

@Test func `a trusted peer names user, company and tier`() {
    var identity = ResolvedIdentity()
    let fields = [("x-user-id", "42"), ("X-COMPANY", "acme"), ("X-Api-Key", "pro")]
    IdentityResolver(settings()).resolve(
        peer: address("10.0.0.1"), request: request(fields), credentials: nobody,
        at: WallTime(nanoseconds: 0), into: &identity)
    #expect(identity.peerIsTrusted == true)
    #expect(identity.texts.user == "42")
    #expect(identity.texts.company == "acme")
    #expect(identity.texts.tier == "pro")
}

@Test func `a field that is repeated or empty names nobody`() {
    var identity = ResolvedIdentity()
    let fields = [
        ("X-User-ID", "42"), ("X-Company", ""), ("x-user-id", "42"), ("X-API-Key", "a"),
        ("X-API-Key", "b"),
    ]
    IdentityResolver(settings()).resolve(
        peer: address("10.0.0.1"), request: request(fields), credentials: nobody,
        at: WallTime(nanoseconds: 0), into: &identity)
    #expect(identity.texts.user == nil)
    #expect(identity.texts.company == nil)
    #expect(identity.texts.tier == nil)
}

@Test func `a request without a tier has the default one, trusted or not`() {
    var withDefault = settings()
    withDefault.defaultTier = "free"
    let resolver = IdentityResolver(withDefault)
    var identity = ResolvedIdentity()
    for peer in ["10.0.0.1", "198.51.100.1"] {
        resolver.resolve(
            peer: address(peer), request: request(), credentials: nobody,
            at: WallTime(nanoseconds: 0), into: &identity)
        #expect(identity.texts.tier == "free")
    }
    resolver.resolve(
        peer: address("10.0.0.1"), request: request([("X-API-Key", "pro")]),
        credentials: nobody, at: WallTime(nanoseconds: 0), into: &identity)
    #expect(identity.texts.tier == "pro")
}

@Test func `nothing of the request before is left in a reused identity`() {
    let resolver = IdentityResolver(settings())
    var identity = ResolvedIdentity()
    let fields = [("X-User-ID", "42"), ("X-Company", "acme"), ("X-API-Key", "pro")]
    resolver.resolve(
        peer: address("10.0.0.1"), request: request(fields), credentials: nobody,
        at: WallTime(nanoseconds: 0), into: &identity)
    resolver.resolve(
        peer: address("10.0.0.1"), request: request(), credentials: nobody,
        at: WallTime(nanoseconds: 0), into: &identity)
    #expect(identity.texts.user == nil)
    #expect(identity.texts.company == nil)
    #expect(identity.texts.tier == nil)
    #expect(identity.peerIsTrusted == true)
    identity.reset()
    #expect(identity.peerIsTrusted == false)
}

@Test func `the walk gives what the obvious one gives, and never what a client wrote`() {
    var random = SeededRandom(seed: 7239)
    let pool = [
        "10.0.0.2", "10.0.0.3:80", "fd00::1", "[fd00::2]:9", "203.0.113.9", "2001:db8::9",
        "unknown",
        "", "_x", "300.1.1.1",
    ]
    let plain = [
        "10.0.0.3:80": "10.0.0.3", "[fd00::2]:9": "fd00::2",
    ]
    for _ in 0..<5_000 {
        let elements = (0..<random.below(7)).map { _ in pool[random.below(pool.count)] }
        // Cut into lines at random; the list stays the same.
        var lines: [[String]] = []
        for element in elements {
            if lines.isEmpty || random.below(3) == 0 { lines.append([]) }
            lines[lines.count - 1].append(element)
        }
        let fields = lines.map {
            ("X-Forwarded-For", $0.joined(separator: random.below(2) == 0 ? "," : " , "))
        }
        var expected = "10.0.0.1"
        for element in elements.reversed() {
            guard expected.hasPrefix("10.") || expected.hasPrefix("fd") else { break }
            guard let found = IPAddress(parsing: plain[element] ?? element) else { break }
            expected = found.description
        }
        #expect(client(fields) == expected, "\(fields)")

        // With an honest proxy in between, whatever stands to the left changes nothing.
        let honest = fields + [("X-Forwarded-For", "198.51.100.77")]
        #expect(client(honest) == "198.51.100.77")
    }
}
