import HTTPModel
import Primitives
import Testing

@testable import Limits

struct SharedKeyTests {
    @Test(
        arguments: [
            ([.user, .endpoint], "weir:l:{user=42}:a:bucket:endpoint=GET /api/%7Bid%7D/**"),
            ([.endpoint, .user], "weir:l:{user=42}:a:bucket:endpoint=GET /api/%7Bid%7D/**"),
            ([.global], "weir:l:{a}:a:bucket"),
            ([.ip], "weir:l:{ip=0.0.0.1}:a:bucket"),
            ([.company, .ip], "weir:l:{company=acme%20&}:a:bucket:ip=0.0.0.1"),
            ([.endpoint], "weir:l:{endpoint=GET /api/%7Bid%7D/**}:a:bucket"),
            (
                [.header("x-tenant"), .user],
                "weir:l:{user=42}:a:bucket:header%3Ax-tenant=a%3Ab"
            ),
        ] as [([LimitDefinition.Scope], String)])
    func `keys are readable text with the identity as their tag`(
        scopes: [LimitDefinition.Scope], text: String
    ) {
        #expect(key(scopes, user: "42", company: "acme &", values: ["a:b"]) == text)
    }

    @Test func `who has no user is counted by address, under another key than a user of that name`()
    {
        #expect(key([.user]) == "weir:l:{ip=0.0.0.1}:a:bucket")
        #expect(key([.user], user: "0.0.0.1") == "weir:l:{user=0.0.0.1}:a:bucket")
    }

    @Test func `long parts are digests, and nobody can write one`() {
        let long = String(repeating: "x", count: 65)
        let digest = "sha256-9537c5fdf120482f7d58d25e9ed583f52c02b4e304ea814db1633ad565aed7e9"
        #expect(key([.user], user: long) == "weir:l:{user=\(digest)}:a:bucket")
        #expect(key([.user], user: "sha256-1") == "weir:l:{user=sha256%2D1}:a:bucket")
    }

    @Test func `different requests have different keys`() {
        let values = ["a", "b", "a:b", "a%3Ab", "a}b", "{a", "", "a\u{1}", "ä", "a=b", "user=a"]
        var keys: Set<String> = []
        for user in values {
            for tenant in values {
                keys.insert(key([.user, .header("x")], user: user, values: [tenant]))
            }
        }
        // Without a user and without a tenant it is the address alone.
        #expect(keys.count == values.count * values.count)
    }

    @Test(
        arguments: [
            (0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            (56, "04c26261370ee7541549d16dee320c723e3fd14671e66a099afe0a377c16888e"),
            (65, "9537c5fdf120482f7d58d25e9ed583f52c02b4e304ea814db1633ad565aed7e9"),
        ] as [(Int, String)])
    func `sha-256 is that of FIPS 180-4`(count: Int, digest: String) {
        let bytes = [UInt8](repeating: UInt8(ascii: "x"), count: count)
        let text = SHA256Digest(of: bytes.span).bytes.map { byte in
            (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }
        #expect(text.joined() == digest)
    }

    private func key(
        _ scopes: [LimitDefinition.Scope], user: String? = nil, company: String? = nil,
        values: [String?] = []
    ) -> String {
        let policy = LimitPolicy(
            limits: [limit(5, of: scopes, .tokenBucket(burst: nil))], endpoint: "/api/{id}/**")
        let user = user.map { Array($0.utf8) }
        let company = company.map { Array($0.utf8) }
        let subject = LimitSubject(
            address: IPAddress(v4: 1), counted: IPAddress(v4: 1), method: .get, user: user?.span,
            company: company?.span, tier: nil)
        let buffer = ByteBuffer(capacity: 64)
        policy.appendSharedKey(
            of: 0, subject, dimensions(values), namespace: Array("weir".utf8).span, to: buffer)
        return String(decoding: buffer.readable.copied, as: UTF8.self)
    }
}
