import HTTPModel
import Identity
import Primitives
import Testing

private func forwarded(
    _ fields: [(String, String)], peer: String, isTLS: Bool = false, authority: String = "api.test"
) -> [String] {
    var settings = IdentitySettings()
    settings.trustedProxies = ["10.0.0.0/8", "fd00::/8"].compactMap { IPNetwork(parsing: $0) }
    let head = request(fields, authority: authority)
    var identity = ResolvedIdentity()
    IdentityResolver(settings).resolve(
        peer: address(peer), request: head, credentials: nobody, at: WallTime(nanoseconds: 0),
        into: &identity)
    let output = ByteBuffer(capacity: 64)
    IdentityResolver.appendForwardedFields(
        request: head, identity: identity, peer: AddressText(address(peer)), isTLS: isTLS,
        to: output)
    let text = output.readable.text
    #expect(text.hasSuffix("\r\n"))
    return text.split(separator: "\r\n", omittingEmptySubsequences: false).dropLast().map(
        String.init)
}

@Test func `an untrusted peer's forwarding fields are replaced`() {
    let fields = [
        ("X-Forwarded-For", "6.6.6.6"), ("Forwarded", "for=6.6.6.6"),
        ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-Host", "evil.test"), ("X-Real-IP", "6.6.6.6"),
    ]
    #expect(
        forwarded(fields, peer: "203.0.113.9") == [
            "X-Forwarded-For: 203.0.113.9", "X-Forwarded-Proto: http", "X-Forwarded-Host: api.test",
            "Forwarded: for=203.0.113.9;host=api.test;proto=http", "X-Real-IP: 203.0.113.9",
        ])
}

@Test func `a trusted peer's chain is kept and the peer appended`() {
    let fields = [
        ("X-Forwarded-For", "203.0.113.9"), ("x-forwarded-for", "10.0.0.9"),
        ("X-Forwarded-Proto", "HTTPS"), ("X-Forwarded-Host", "shop.test:8443"),
    ]
    #expect(
        forwarded(fields, peer: "10.0.0.1") == [
            "X-Forwarded-For: 203.0.113.9, 10.0.0.9, 10.0.0.1", "X-Forwarded-Proto: https",
            "X-Forwarded-Host: shop.test:8443",
            "Forwarded: for=203.0.113.9, for=10.0.0.1;host=api.test;proto=http",
        ])
}

@Test func `a chain in Forwarded alone is kept there and summed up in X-Forwarded-For`() {
    let fields = [
        ("Forwarded", "for=\"[2001:db8::9]\";proto=https"), ("Forwarded", "for=10.0.0.9"),
    ]
    #expect(
        forwarded(fields, peer: "fd00::1", isTLS: true, authority: "api.test:8443") == [
            "X-Forwarded-For: 2001:db8::9, fd00::1", "X-Forwarded-Proto: https",
            "X-Forwarded-Host: api.test:8443",
            "Forwarded: for=\"[2001:db8::9]\";proto=https, for=10.0.0.9, "
                + "for=\"[fd00::1]\";host=\"api.test:8443\";proto=https",
        ])
}

@Test func `a Forwarded that nobody checked is not passed on`() {
    let fields = [("X-Forwarded-For", "203.0.113.9"), ("Forwarded", "for=6.6.6.6")]
    let lines = forwarded(fields, peer: "10.0.0.1")
    #expect(lines.contains("Forwarded: for=203.0.113.9, for=10.0.0.1;host=api.test;proto=http"))
    #expect(!lines.contains { $0.contains("6.6.6.6") })
}

@Test(arguments: [
    [("X-Forwarded-Proto", "https"), ("X-Forwarded-Proto", "https")],
    [("X-Forwarded-Proto", "https,http")], [("X-Forwarded-Proto", "")],
    [("X-Forwarded-Host", "a.test, b.test")],
    [("X-Forwarded-Host", "a"), ("X-Forwarded-Host", "a")],
    [("X-Forwarded-Host", "a\"b")], [("X-Forwarded-Host", "")],
])
func `a proto or host that is not one plain value is replaced, even from a trusted peer`(
    fields: [(String, String)]
) {
    let lines = forwarded(fields, peer: "10.0.0.1")
    #expect(lines.contains("X-Forwarded-Proto: http"))
    #expect(lines.contains("X-Forwarded-Host: api.test"))
}

@Test func `a request without an authority gets no host`() {
    #expect(
        forwarded([], peer: "203.0.113.9", authority: "") == [
            "X-Forwarded-For: 203.0.113.9", "X-Forwarded-Proto: http",
            "Forwarded: for=203.0.113.9;proto=http",
        ])
}

@Test func `any host is told, as a token or in quotes`() {
    var random = SeededRandom(seed: 7239)
    let usual = Array("abcxyzABCXYZ0189-.".utf8)
    let unusual =
        Array("_~!:[]/@`{}\"\\;, ".utf8) + [0x2C, 0x2F, 0x3A, 0x40, 0x5B, 0x60, 0x7B, 0x7F]
    for round in 0..<4_000 {
        let host = (0..<(1 + round % 40)).map { _ in
            random.below(1 + round % 30) > 0
                ? usual[random.below(usual.count)] : unusual[random.below(unusual.count)]
        }
        let isToken = host.allSatisfy { ASCII.isToken($0) }
        let escaped = host.flatMap { $0 == 0x22 || $0 == 0x5C ? [0x5C, $0] : [$0] }
        let value = isToken ? host.span.text : "\"" + escaped.span.text + "\""
        let lines = forwarded([], peer: "203.0.113.9", authority: host.span.text)
        #expect(lines[2] == "X-Forwarded-Host: " + host.span.text)
        #expect(lines[3] == "Forwarded: for=203.0.113.9;host=" + value + ";proto=http")
    }
}

@Test func `what is forwarded tells the next hop the same client`() {
    var random = SeededRandom(seed: 11)
    let pool = ["10.0.0.2", "fd00::2", "203.0.113.9", "2001:db8::9", "unknown"]
    for _ in 0..<2_000 {
        let chain = (0..<random.below(4)).map { _ in pool[random.below(pool.count)] }
        let peer = pool[random.below(4)]
        let fields = chain.isEmpty ? [] : [("X-Forwarded-For", chain.joined(separator: ", "))]
        var settings = IdentitySettings()
        settings.trustedProxies = ["10.0.0.0/8", "fd00::/8"].compactMap { IPNetwork(parsing: $0) }
        let resolver = IdentityResolver(settings)
        var here = ResolvedIdentity()
        resolver.resolve(
            peer: address(peer), request: request(fields), credentials: nobody,
            at: WallTime(nanoseconds: 0), into: &here)
        let lines = forwarded(fields, peer: peer)
        for name in ["X-Forwarded-For", "Forwarded"] {
            let passed = lines.filter { $0.hasPrefix(name + ": ") }
                .map { (name, String($0.dropFirst(name.count + 2))) }
            #expect(passed.count == 1)
            var there = ResolvedIdentity()
            resolver.resolve(
                peer: address("10.9.9.9"), request: request(passed), credentials: nobody,
                at: WallTime(nanoseconds: 0), into: &there)
            #expect(there.address == here.address, "\(passed)")
        }
    }
}

@Test func `fields that are replaced and fields that only look like it`() {
    for name in [FieldName.forwarded, .xForwardedFor, .xForwardedProto, .xForwardedHost, .xRealIp] {
        #expect(IdentityResolver.replacedFields.contains(name))
    }
    #expect(!IdentityResolver.replacedFields.contains(.other))
    let looks = ["X-Forwarded-Port", "x-forwarded-prefix", "X-Forwarded-", "X-Forward-Port"].map {
        IdentityResolver.isForwardingName(Array($0.utf8).span)
    }
    #expect(looks == [true, true, false, false])
}
