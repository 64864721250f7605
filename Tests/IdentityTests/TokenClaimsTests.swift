import Primitives
import Testing

@testable import Identity

private func outcome(
    _ claims: String, at time: WallTime = seconds(today), leeway: Nanoseconds = .zero,
    issuer: String? = nil, audiences: [String] = []
) -> CredentialOutcome {
    var worker = Verifying {
        $0.jwt?.leeway = leeway
        $0.jwt?.issuer = issuer
        $0.jwt?.audiences = audiences
    }
    let first = worker.take(token(claims), at: time)
    // Remembered or not, the answer is the same.
    #expect(worker.take(token(claims), at: time) == first)
    return first
}

@Test func `a token is valid up to its exp and the leeway, and not at that moment`() {
    let claims = #"{"exp":\#(today)}"#
    let last = WallTime(nanoseconds: today * 1_000_000_000 - 1)
    #expect(outcome(claims, at: last) == .token)
    #expect(outcome(claims, at: seconds(today)) == .invalidToken(.expired))
    let leeway = Nanoseconds.seconds(30)
    #expect(outcome(claims, at: last + leeway, leeway: leeway) == .token)
    #expect(
        outcome(claims, at: seconds(today + 30), leeway: leeway) == .invalidToken(.expired))
    // More leeway than a minute is cut to a minute.
    let hour = Nanoseconds.seconds(3600)
    #expect(outcome(claims, at: last + .seconds(60), leeway: hour) == .token)
    #expect(outcome(claims, at: seconds(today + 60), leeway: hour) == .invalidToken(.expired))
}

@Test func `a token is valid from its nbf less the leeway`() {
    let claims = #"{"exp":\#(today + 900),"nbf":\#(today)}"#
    let before = WallTime(nanoseconds: today * 1_000_000_000 - 1)
    #expect(outcome(claims, at: seconds(today)) == .token)
    #expect(outcome(claims, at: before) == .invalidToken(.notYetValid))
    #expect(outcome(claims, at: seconds(today - 30), leeway: .seconds(30)) == .token)
    #expect(
        outcome(claims, at: before - .seconds(30), leeway: .seconds(30))
            == .invalidToken(.notYetValid))
    #expect(outcome(#"{"exp":\#(today + 9),"nbf":5}"#, leeway: .seconds(30)) == .token)
}

extension WallTime {
    fileprivate static func - (t: WallTime, d: Nanoseconds) -> WallTime {
        WallTime(nanoseconds: t.nanoseconds - d.count)
    }
}

@Test func `exp must be there and be a number, nbf a number`() {
    #expect(outcome("{}") == .invalidToken(.expired))
    #expect(outcome(#"{"iat":\#(today)}"#) == .invalidToken(.expired))
    for bad in [#""\#(today + 9)""#, "null", "true", "[1]", "{}"] {
        #expect(outcome(#"{"exp":\#(bad)}"#) == .invalidToken(.malformed))
        #expect(
            outcome(#"{"exp":\#(today + 9),"nbf":\#(bad)}"#) == .invalidToken(.malformed))
    }
}

@Test func `a date may have a fraction or an exponent and any size`() {
    for good in [
        "\(today).5", "\(today + 1)", "\(today + 1)000000000e-9", "1.8E9", "1.8e+9", "1e300",
        "99999999999999999999999999", "\(today).0000000010000", "1e999999999999999999999",
    ] {
        #expect(outcome(#"{"exp":\#(good)}"#) == .token, "\(good)")
    }
    for past in [
        "\(today)", "\(today - 1).999999999", "0", "-1", "-1e300", "1e-300", "0e300", "0.0",
        "\(today).0000000001", "1e-999999999999999999999",
    ] {
        #expect(outcome(#"{"exp":\#(past)}"#) == .invalidToken(.expired), "\(past)")
    }
    func nanoseconds(_ text: String) -> UInt64 {
        let bytes = Array(text.utf8)
        return NumericDate.nanoseconds(bytes.span)
    }
    #expect(nanoseconds("1300819380") == 1_300_819_380_000_000_000)
    #expect(nanoseconds("1.5") == 1_500_000_000)
    #expect(nanoseconds("15e-1") == 1_500_000_000)
    #expect(nanoseconds("0.0000000019") == 1)
    #expect(nanoseconds("18446744073.709551615") == UInt64.max - 5)
    #expect(nanoseconds("18446744074") == UInt64.max)
    #expect(nanoseconds("1300819380.123456789123456789") == 1_300_819_380_123_456_789)
}

@Test func `the issuer must be the one that is configured, byte by byte`() {
    let exp = #""exp":\#(today + 9)"#
    #expect(outcome(#"{\#(exp),"iss":"https://a.test"}"#, issuer: "https://a.test") == .token)
    #expect(outcome(#"{\#(exp),"iss":"https:\/\/a.test"}"#, issuer: "https://a.test") == .token)
    for other in [#""https://a.test/""#, #""https://A.test""#, #""""#, "7", #"["https://a.test"]"#]
    {
        #expect(
            outcome(#"{\#(exp),"iss":\#(other)}"#, issuer: "https://a.test")
                == .invalidToken(.issuer))
    }
    #expect(outcome("{\(exp)}", issuer: "https://a.test") == .invalidToken(.issuer))
    #expect(outcome(#"{\#(exp),"iss":"anybody"}"#) == .token)
}

@Test func `one of the audiences must be in aud, which is a string or a list`() {
    let exp = #""exp":\#(today + 9)"#
    let wanted = ["api", "web"]
    for good in [
        #""api""#, #""web""#, #"["api"]"#, #"["x","web"]"#, #"[1,null,{"a":["b"]},"api"]"#,
    ] {
        #expect(outcome(#"{\#(exp),"aud":\#(good)}"#, audiences: wanted) == .token, "\(good)")
    }
    for bad in [
        #""ap""#, #""apis""#, #""API""#, "[]", #"["x"]"#, #"[["api"]]"#, #"{"api":"api"}"#, "null",
        "1", #"[{"api":1}]"#, #""api web""#,
    ] {
        #expect(
            outcome(#"{\#(exp),"aud":\#(bad)}"#, audiences: wanted) == .invalidToken(.audience),
            "\(bad)")
    }
    #expect(outcome("{\(exp)}", audiences: wanted) == .invalidToken(.audience))
    #expect(outcome(#"{\#(exp),"aud":"anybody"}"#) == .token)
}

@Test func `claims that say a name twice are refused, escapes and all`() {
    let exp = #""exp":\#(today + 9)"#
    #expect(outcome(#"{\#(exp),"sub":"a","sub":"a"}"#) == .invalidToken(.malformed))
    #expect(outcome(#"{\#(exp),"sub":"a","\u0073ub":"b"}"#) == .invalidToken(.malformed))
    #expect(outcome(#"{\#(exp),"a":{"b":1,"b":2}}"#) == .token)
    let many = (0...IdentityBounds.jsonMembersMax).map { #""c\#($0)":1"# }.joined(separator: ",")
    #expect(outcome("{\(exp),\(many)}") == .invalidToken(.malformed))
}

@Test
func `texts and whole numbers are kept, everything else and what no field could carry is not`() {
    var worker = Verifying(claims: ["c"]) { $0.user = [.claim("c")] }
    func kept(_ value: String, _ worker: inout Verifying) -> String? {
        let claims = #"{"exp":\#(today + 9),"c":\#(value)}"#
        #expect(worker.take(token(claims)) == .token)
        let first = worker.identity.claimText(0)
        #expect(worker.identity.texts.user == first)
        #expect(worker.identity.userIsProven == (first != nil))
        // And once more from memory.
        #expect(worker.take(token(claims)) == .token)
        #expect(worker.identity.claimText(0) == first)
        return first
    }
    for (value, text) in [
        (#""42""#, "42"), ("42", "42"), ("-7", "-7"), ("0", "0"), (#""a b""#, "a b"),
        (#""\u00e9\ud83d\ude00""#, "é😀"), (#""é😀""#, "é😀"), (#""a\"b\\c\/d""#, #"a"b\c/d"#),
        ("123456789012345678901234567890", "123456789012345678901234567890"),
        (
            "\"" + String(repeating: "x", count: IdentityBounds.claimBytesMax) + "\"",
            String(repeating: "x", count: IdentityBounds.claimBytesMax)
        ),
    ] {
        #expect(kept(value, &worker) == text)
    }
    for value in [
        #""""#, "true", "false", "null", "1.5", "1e3", "[]", #"["a"]"#, "{}", #"{"c":"a"}"#,
        // A line end in a user's name would start a header field of its own at the origin.
        #""a\r\nX-Admin: 1""#, #""a\nb""#, #""\u0000""#, #""a\u007f""#, #"" a""#, #""a ""#,
        #""\ta""#,
        "\"" + String(repeating: "x", count: IdentityBounds.claimBytesMax + 1) + "\"",
    ] {
        #expect(kept(value, &worker) == nil, "\(value)")
    }
}

@Test func `claims are found by their place in the list, whatever sources name them too`() {
    let claims = #"{"exp":\#(today + 9),"plan":"pro","sub":"42","org":"acme","n":{"x":"y"}}"#
    var worker = Verifying(claims: ["plan", "absent", "plan", "org"]) {
        $0.company = [.claim("none"), .claim("org")]
        $0.tier = [.claim("plan")]
    }
    for _ in 0..<2 {
        #expect(worker.take(token(claims)) == .token)
        let identity = worker.identity.copy()
        #expect(identity.claimText(0) == "pro")
        #expect(identity.claimText(1) == nil)
        #expect(identity.claimText(2) == "pro")
        #expect(identity.claimText(3) == "acme")
        for odd in [-1, 99, .max, .min] { #expect(identity.claimText(odd) == nil) }
        #expect(identity.texts.user == "42")
        #expect(identity.texts.company == "acme")
        #expect(identity.companySource == 1)
        #expect(identity.texts.tier == "pro")
    }
    worker.resolve([])
    #expect(worker.identity.claimText(0) == nil, "nothing of the request before is left")
    #expect(worker.identity.credential == .none)
}
