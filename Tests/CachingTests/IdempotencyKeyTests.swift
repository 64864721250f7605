import Caching
import Primitives
import Testing

/// The field Idempotency-Key (standards S8, RFC 9651 §3.3.3).
@Suite struct IdempotencyKeyTests {
    private func read(_ value: String) -> String? {
        var key = bytes("before ")
        guard IdempotencyKey.append(bytes(value).span, to: &key) else { return nil }
        return String(text(key).dropFirst(7))
    }

    @Test(arguments: [
        ("\"8e03978e-40d5-43dd-bc93-6894a57f9324\"", "8e03978e-40d5-43dd-bc93-6894a57f9324"),
        ("8e03978e-40d5", "8e03978e-40d5"), ("\"a b\"", "a b"), (" \"a\" ", "a"),
        ("\"a\\\"b\\\\\"", "a\"b\\"), ("\"a\";x=1", "a"), ("\"a\" ; y", "a"), ("a=b", "a=b"),
    ])
    func `strings and bare words are keys`(value: String, key: String) {
        #expect(read(value) == key)
    }

    @Test(arguments: [
        "", " ", "\"\"", "\"a", "\"a\"b", "\"a\", \"b\"", "a b", "a,b", "a;b", "\"a\\x\"", "\"a\\",
        "\"ä\"", "ä", "\"a\u{7f}\"", "a\"b",
    ])
    func `anything else is none`(value: String) {
        #expect(read(value) == nil)
    }

    @Test func `a key has at most 255 characters`() {
        let longest = String(repeating: "k", count: 255)
        #expect(read(longest) == longest && read("\"\(longest)\"") == longest)
        #expect(read(longest + "k") == nil && read("\"\(longest)k\"") == nil)
    }
}
