import Primitives
import Testing

@testable import Identity

private let good = token()

@Test func `a token stands in one Authorization field after Bearer in any case`() {
    var worker = Verifying()
    for scheme in ["Bearer ", "bearer ", "BEARER   ", "bEaReR "] {
        #expect(worker.resolve([("Authorization", scheme + good)]) == .token)
        #expect(worker.resolve([("authorization", scheme + good), ("X", "y")]) == .token)
    }
    for other in [
        "", "Basic dTpw", "Bearerx " + good, "Bearer=" + good, good, "Token " + good,
        "Digest username=\"a\"",
    ] {
        #expect(worker.resolve([("Authorization", other)]) == .none, "\(other)")
        #expect(worker.identity.texts.user == nil)
    }
    for broken in [
        "Bearer", "bearer ", "Bearer opaque", "Bearer \t" + good, "Bearer " + good + " ",
    ] {
        #expect(
            worker.resolve([("Authorization", broken)]) == .invalidToken(.malformed), "\(broken)")
    }
    #expect(worker.resolve([]) == .none)
}

@Test func `of two Authorization fields none counts`() {
    var worker = Verifying { $0.jwt?.cookie = "session" }
    for (first, second) in [
        ("Bearer " + good, "Bearer " + good), ("Basic dTpw", "Bearer " + good),
        ("Bearer " + good, ""),
    ] {
        let fields = [("Authorization", first), ("authorization", second)]
        #expect(worker.resolve(fields + [("Cookie", "session=" + good)]).isBad)
        #expect(worker.identity.texts.user == nil)
    }
}

@Test func `the cookie holds the token when there is no Authorization field`() {
    var worker = Verifying { $0.jwt?.cookie = "session" }
    let cookie = ("Cookie", "a=b; session=\(good); c=d")
    #expect(worker.resolve([cookie]) == .token)
    #expect(worker.identity.userIsProven == true)
    #expect(worker.resolve([("Authorization", "Basic dTpw"), cookie]) == .none)
    #expect(worker.resolve([("Authorization", "Bearer x"), cookie]).isBad)
    #expect(worker.resolve([("Cookie", "session=nonsense")]) == .invalidToken(.malformed))
    #expect(worker.resolve([("Cookie", "Session=" + good)]) == .none)
    #expect(worker.resolve([("Cookie", "session=\(good); session=\(good)")]) == .none)
    var without = Verifying()
    #expect(without.resolve([cookie]) == .none)
}

@Test func `a token that is longer than the bound is malformed`() {
    var worker = Verifying()
    func padded(_ count: Int) -> String {
        token(#"{"exp":\#(today + 9),"x":"\#(String(repeating: "y", count: count))"}"#)
    }
    #expect(worker.take(padded(11_000)) == .token)
    #expect(worker.take(padded(13_000)) == .invalidToken(.malformed))
}

@Test func `without jwt no token is looked at`() {
    var worker = Verifying { $0.jwt = nil }
    #expect(worker.take(good) == .none)
    #expect(worker.identity.texts.user == nil)
    #expect(worker.credentials.counts.tokensInvalid == 0)
}

private func cookie(_ lines: String...) -> String? {
    var worker = Verifying {
        $0.jwt = nil
        $0.user = [.cookie("sid")]
    }
    worker.resolve(lines.map { ("Cookie", $0) })
    #expect(worker.identity.credential == .none)
    #expect(worker.identity.userIsProven == false)
    #expect((worker.identity.userSource == 0) == (worker.identity.texts.user != nil))
    return worker.identity.texts.user
}

@Test func `the value of a cookie is found among others`() {
    for (line, value) in [
        ("sid=42", "42"), ("a=b; sid=42", "42"), ("sid=42; a=b", "42"), ("a=b;sid=42;c=d", "42"),
        ("sid=\"42\"", "42"), (" sid=42 ", "42"), ("sid=a=b==", "a=b=="), ("xsid=1; sid=42", "42"),
        ("sidx=1; sid=42", "42"), ("sid; sid=42", "42"), ("SID=1; sid=42", "42"),
        ("a=\"; sid=42", "42"), (";;; ;sid=42;;", "42"),
        ("sid=!#$%&'()*+-./:<=>?@[]^_`{|}~", "!#$%&'()*+-./:<=>?@[]^_`{|}~"),
    ] {
        #expect(cookie(line) == value, "\(line)")
    }
    #expect(cookie("a=b", "sid=42", "c=d") == "42")
}

@Test func `a cookie that is there twice, empty or odd names nobody`() {
    for line in [
        "", "sid", "sid=", "sid=\"\"", "sid=1; sid=2", "sid=1; sid=1", "sid=1; sid=", "Sid=1",
        "sid =1", "sid=a b", "sid=a,b", "sid=a\\b", "sid=\"a", "sid=a\"", "sid=\"", "sid=é",
        "sid=\t",
        "xsid=1", "sid=\u{7F}",
    ] {
        #expect(cookie(line) == nil, "\(line)")
    }
    #expect(cookie("sid=1", "sid=2") == nil)
}

@Test func `random cookies agree with a slow obvious reading`() {
    var random = SeededRandom(seed: 6265)
    let pieces = ["sid", "=", ";", "; ", " ", "a", "\"", "42", "sid=1", ","]
    for _ in 0..<3_000 {
        let line = (0..<random.below(8)).map { _ in pieces[random.below(pieces.count)] }.joined()
        var values: [String] = []
        for part in line.split(separator: ";") {
            var pair = Substring(part)
            while pair.first == " " { pair.removeFirst() }
            while pair.last == " " { pair.removeLast() }
            guard pair.hasPrefix("sid=") else { continue }
            var value = String(pair.dropFirst(4))
            if value.count > 1 && value.hasPrefix("\"") && value.hasSuffix("\"") {
                value = String(value.dropFirst().dropLast())
            }
            values.append(value)
        }
        var expected = values.count == 1 ? values.first : nil
        if let value = expected, value.isEmpty || value.contains(where: { " \",\\".contains($0) }) {
            expected = nil
        }
        #expect(cookie(line) == expected, "\(line)")
    }
}
