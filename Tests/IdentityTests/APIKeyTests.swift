import Primitives
import Testing

@testable import Identity

private func entry(
    _ key: String, user: String? = nil, company: String? = nil, tier: String? = nil
) -> APIKeyEntry {
    APIKeyEntry(
        digest: APIKeyEntry.digest(of: Array(key.utf8)), user: user, company: company, tier: tier)
}

private func worker(_ keys: [APIKeyEntry], header: String = "x-api-key") -> Verifying {
    Verifying(apiKeys: keys) {
        $0.jwt = nil
        $0.apiKeys = APIKeySettings(header: header, file: "keys.yaml")
        $0.user = [.apiKey(.user)]
        $0.company = [.apiKey(.company)]
        $0.tier = [.apiKey(.tier)]
    }
}

@Test(arguments: ["x-api-key", "X-API-Key", "x-secret-of-ours"])
func `a key of the file names user, company and tier`(header: String) {
    let keys = [
        entry("first", user: "42", company: "acme", tier: "pro"), entry("second", user: "43"),
    ]
    var worker = worker(keys, header: header)
    #expect(worker.resolve([(header.uppercased(), "first")]) == .apiKey)
    #expect(worker.identity.texts == ("42", "acme", "pro"))
    #expect(worker.identity.userIsProven == true)
    #expect(worker.resolve([(header, "second")]) == .apiKey)
    #expect(worker.identity.texts == ("43", nil, nil))
    #expect(worker.identity.companySource == nil)
    #expect(worker.credentials.counts.apiKeysKnown == 2)
    #expect(worker.credentials.counts.apiKeysUnknown == 0)
}

@Test func `a key that is not in the file, or is there twice, is bad and names nobody`() {
    var worker = worker([entry("first", user: "42"), entry("", user: "nobody")])
    for fields in [
        [("X-API-Key", "firs")], [("X-API-Key", "first1")], [("X-API-Key", "FIRST")],
        [("X-API-Key", "first"), ("x-api-key", "first")],
        [("X-API-Key", "first"), ("x-api-key", "")],
        [("X-API-Key", base64(APIKeyEntry.digest(of: Array("first".utf8))))],
    ] {
        #expect(worker.resolve(fields) == .unknownAPIKey)
        #expect(worker.identity.credential.isBad)
        #expect(worker.identity.texts == (nil, nil, nil))
    }
    #expect(worker.resolve([("X-API-Key", "")]) == .none)
    #expect(worker.resolve([]) == .none)
    #expect(worker.credentials.counts.apiKeysUnknown == 6)
    #expect(worker.credentials.counts.apiKeysKnown == 0)
}

@Test func `thousands of keys are told apart`() {
    let count = 5_000
    let table = APIKeyTable((0..<count).map { entry("key \($0)", user: "\($0)") })
    #expect(table.count == count)
    for number in 0..<count {
        let key = Array("key \(number)".utf8)
        let index = table.index(of: SHA256Digest(of: key.span))
        #expect(index == number)
        #expect(table.value(.user, of: number) == Array("\(number)".utf8))
        let unknown = Array("kex \(number)".utf8)
        #expect(table.index(of: SHA256Digest(of: unknown.span)) == nil)
    }
    #expect(APIKeyTable([]).index(of: SHA256Digest(of: [UInt8]().span)) == nil)
}

@Test func `entries that are no keys are left out and texts no field could carry count as absent`()
{
    let table = APIKeyTable([
        APIKeyEntry(digest: [], user: "a", company: nil, tier: nil),
        APIKeyEntry(digest: [1, 2, 3], user: "a", company: nil, tier: nil),
        entry("k", user: "a\r\nX: y", company: " x", tier: ""), entry("k", user: "second"),
    ])
    #expect(table.count == 1)
    for part in IdentitySettings.APIKeyPart.allCases { #expect(table.value(part, of: 0).isEmpty) }
    #expect(APIKeyTable.isUsable("Ünlü & Co"))
    for bad in ["", " ", "a\nb", "a\u{0}", String(repeating: "x", count: 1025)] {
        #expect(!APIKeyTable.isUsable(bad))
    }
}
