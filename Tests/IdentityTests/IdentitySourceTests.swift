import Primitives
import Testing

@testable import Identity

private let key = APIKeyEntry(
    digest: APIKeyEntry.digest(of: Array("key".utf8)), user: "of the key", company: "key & co",
    tier: nil)
private let good = (
    "Authorization", "Bearer " + token(#"{"exp":\#(today + 9),"sub":"of the token"}"#)
)
private let bad = ("Authorization", "Bearer " + token(#"{"exp":1,"sub":"of an old token"}"#))
private let goodKey = ("X-API-Key", "key")
private let badKey = ("X-API-Key", "guess")
private let cookie = ("Cookie", "sid=of-the-cookie")
private let header = ("X-User", "of the proxy")

private func worker(_ user: [IdentitySettings.Source]) -> Verifying {
    Verifying(apiKeys: [key]) {
        $0.trustedProxies = ["10.0.0.0/8"].compactMap { IPNetwork(parsing: $0) }
        $0.apiKeys = APIKeySettings(header: "x-api-key", file: "keys.yaml")
        $0.user = user
        $0.company = [.apiKey(.company)]
        $0.tier = [.claim("plan"), .apiKey(.tier)]
        $0.defaultTier = "free"
    }
}

@Test func `the first source that knows the user counts`() {
    let order: [IdentitySettings.Source] = [
        .claim("sub"), .apiKey(.user), .header("x-user"), .cookie("sid"),
    ]
    let cases: [([(String, String)], String, String?, Int?, Bool)] = [
        ([cookie, header, goodKey, good], "10.0.0.1", "of the token", 0, true),
        ([cookie, header, goodKey, bad], "10.0.0.1", "of the key", 1, true),
        ([cookie, header, badKey], "10.0.0.1", "of the proxy", 2, true),
        ([cookie, header], "198.51.100.1", "of-the-cookie", 3, false),
        ([header], "198.51.100.1", nil, nil, false),
        ([], "10.0.0.1", nil, nil, false),
    ]
    for (fields, peer, user, source, isProven) in cases {
        var worker = worker(order)
        for _ in 0..<2 {
            worker.resolve(fields, peer: peer)
            #expect(worker.identity.texts.user == user)
            #expect(worker.identity.userSource == source)
            #expect(worker.identity.userIsProven == isProven)
            #expect(worker.identity.texts.tier == "free")
            #expect(worker.identity.tierSource == nil)
        }
    }
}

@Test func `a cookie before a token is asked before it`() {
    var worker = worker([.cookie("sid"), .claim("sub")])
    worker.resolve([good, cookie])
    #expect(worker.identity.texts.user == "of-the-cookie")
    #expect(worker.identity.userIsProven == false)
    #expect(worker.identity.credential == .token)
    worker.resolve([good])
    #expect(worker.identity.texts.user == "of the token")
    #expect(worker.identity.userSource == 1)
}

@Test func `something bad among the credentials makes them bad`() {
    let cases: [([(String, String)], CredentialOutcome)] = [
        ([], .none), ([good], .token), ([goodKey], .apiKey), ([good, goodKey], .token),
        ([bad], .invalidToken(.expired)), ([badKey], .unknownAPIKey),
        ([bad, goodKey], .invalidToken(.expired)), ([good, badKey], .unknownAPIKey),
        ([bad, badKey], .invalidToken(.expired)),
    ]
    for (fields, outcome) in cases {
        var worker = worker([.claim("sub")])
        #expect(worker.resolve(fields) == outcome)
    }
}

@Test func `nobody gets a user from a token that is not right, whatever it says`() {
    var worker = worker([.claim("sub")])
    worker.resolve([good])
    for problem in TokenProblem.allCases {
        #expect(CredentialOutcome.invalidToken(problem).isBad)
    }
    worker.resolve([bad])
    #expect(worker.identity.texts.user == nil)
    #expect(worker.identity.userSource == nil)
    #expect(worker.identity.userIsProven == false)
}

@Test func `company and tier have sources of their own`() {
    var worker = worker([.claim("sub")])
    let paid = token(#"{"exp":\#(today + 9),"sub":"42","plan":"pro"}"#)
    worker.resolve([("Authorization", "Bearer " + paid), goodKey])
    #expect(worker.identity.texts == ("42", "key & co", "pro"))
    #expect(worker.identity.tierSource == 0)
    #expect(worker.identity.companySource == 0)
}

@Test func `credentials made from other settings than the resolver give nothing and do no harm`() {
    var one = worker([.claim("sub")])
    let other = Credentials(IdentitySettings(), claims: [], keys: CredentialKeys())
    one.resolver.resolve(
        peer: address("10.0.0.1"), request: request([good, goodKey]), credentials: other,
        at: seconds(today), into: &one.identity)
    #expect(one.identity.texts.user == nil)
    #expect(one.identity.credential == .none)
}
