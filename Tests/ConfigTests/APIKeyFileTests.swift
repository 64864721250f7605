import Config
import Identity
import Primitives
import Testing

private let digest = String(repeating: "0a", count: 31) + "Ff"
private let otherDigest = String(repeating: "1b", count: 32)

private func read(_ text: String) -> Result<[APIKeyEntry], ConfigurationFailure> {
    Configuration.apiKeys(Array(text.utf8), file: "keys.yaml")
}

/// The messages of a file that must be bad, with `line:column` before each.
private func problems(_ text: String) -> [String] {
    guard case .failure(let failure) = read(text) else { return [] }
    return failure.problems.map { "\($0.line):\($0.column) \($0.message)" }
}

@Test func `API keys are read by their digest`() throws {
    let entries = try read(
        """
        # made with `openssl rand -hex 32`
        keys:
          sha256:\(digest):
            user: ada
            company: "${ACME}"
            tier: pro
          "sha256:\(otherDigest)": {tier: free}

        """
    ).get()
    let bytes = [UInt8](repeating: 0x0A, count: 31) + [0xFF]
    // Variables are not replaced.
    #expect(
        entries == [
            APIKeyEntry(digest: bytes, user: "ada", company: "${ACME}", tier: "pro"),
            APIKeyEntry(
                digest: [UInt8](repeating: 0x1B, count: 32), user: nil, company: nil, tier: "free"),
        ])
}

@Test func `a key in clear is kept as its digest alone`() throws {
    let key = "a-key-of-16-byte"
    let entries = try read("keys: {\(key): {user: ada}}\n").get()
    #expect(entries.map(\.user) == ["ada"])
    #expect(entries[0].digest == APIKeyEntry.digest(of: Array(key.utf8)))
}

@Test func `a file without keys lets nobody in`() throws {
    #expect(try read("keys: {}\n").get() == [])
}

@Test(arguments: [
    ("", "1:1 the file says nothing"),
    ("[]", "1:1 expected a mapping with `keys`"),
    ("{}", "1:1 `keys` is missing"),
    ("keys: [a]", "1:7 expected a mapping of at most 100000 keys"),
    ("keys:", "1:6 expected a mapping of at most 100000 keys"),
    (
        "a-secret-key-in-the-wrong-place: {user: a}",
        "1:1 unknown key; a file of API keys has only `keys`"
    ),
    ("keys: {}\nkey: {}", "2:1 unknown key; a file of API keys has only `keys`"),
    (
        "keys: {sha256:00: {user: a}}",
        "1:8 keys: expected `sha256:` and 64 hexadecimal digits, or 16 to 1024 visible ASCII characters"
    ),
    (
        "keys: {too-short-a-key: {user: a}}",
        "1:8 keys: expected `sha256:` and 64 hexadecimal digits, or 16 to 1024 visible ASCII characters"
    ),
    (
        "keys: {a-secret-key-long-enough: }",
        "1:8 keys: expected a mapping with `user`, `company` or `tier`"
    ),
    (
        "keys: {a-secret-key-long-enough: {}}",
        "1:8 keys: expected a mapping with `user`, `company` or `tier`"
    ),
    (
        "keys: {a-secret-key-long-enough: ada}",
        "1:8 keys: expected a mapping with `user`, `company` or `tier`"
    ),
    (
        "keys: {a-secret-key-long-enough: {usr: a}}",
        "1:35 keys: unknown key; a key has only `user`, `company` and `tier`"
    ),
    (
        "keys: {a-secret-key-long-enough: {user: ''}}",
        "1:41 keys: expected the user, 1 to 1024 visible characters"
    ),
    (
        "keys: {a-secret-key-long-enough: {tier: [a]}}",
        "1:41 keys: expected the tier, 1 to 64 visible characters"
    ),
    (
        "keys: {a-secret-key-long-enough: {company: ~}}",
        "1:44 keys: expected the company, 1 to 1024 visible characters"
    ),
    (
        "keys:\n  a-secret-key-long-enough: {user: a}\n  a-secret-key-long-enough: {user: b}",
        "3:3 the same key stands above already"
    ),
])
func `a damaged file of API keys is refused`(text: String, message: String) {
    #expect(problems(text) == [message])
}

@Test func `a key in clear and its digest are the same key`() throws {
    let key = Array("a-key-of-16-byte".utf8)
    let hex = APIKeyEntry.digest(of: key).map { byte in
        String(byte >> 4, radix: 16) + String(byte & 15, radix: 16)
    }.joined()
    #expect(hex.count == 64)
    let text = "keys:\n  a-key-of-16-byte: {user: a}\n  sha256:\(hex): {user: b}\n"
    #expect(problems(text) == ["3:3 keys: the same key is already used at line 2"])
}

@Test func `a digest in other letters is the same key`() {
    let text = "keys:\n  sha256:\(digest): {user: a}\n  sha256:\(digest.lowercased()): {user: b}\n"
    #expect(problems(text) == ["3:3 keys: the same key is already used at line 2"])
}

@Test(arguments: [
    "keys: {SECRETSECRETSECRET: {usr: a, SECRETSECRET: 5}, SECRETSECRETSECRET: {user: a}}",
    "SECRETSECRETSECRET: {user: a}", "keys: {group: {SECRETSECRETSECRET: {user: a}}}",
    "keys: [SECRETSECRETSECRET]", "SECRETSECRETSECRET", "keys: {SECRETSECRETSECRET {user: a}}",
    "keys: {SECRET SECRET SECRET: {user: a}}", "keys: {SECRET: {user: a}}",
    "keys: {SECRETSECRETSECRET: &a {user: a}}", "keys: {SECRETSECRETSECRET: *SECRET}",
    "keys: {? [SECRETSECRETSECRET] : {user: a}}", "keys: {SECRETSECRETSECRET: !SECRET {user: a}}",
    "%SECRET x\n---\nkeys: {}", "keys: {}\n---\nSECRET: {}",
    "keys: {SECRETSECRETSECRET: {user: \"\\SECRET\"}}",
])
func `no message holds a key`(text: String) {
    guard case .failure(let failure) = read(text) else {
        Issue.record("read")
        return
    }
    #expect(!failure.description.contains("SECRET"))
    #expect(
        failure.description.hasPrefix("keys.yaml:1:")
            || failure.description.hasPrefix("keys.yaml:2:")
            || failure.description.hasPrefix("keys.yaml:3:"))
    #expect(failure.description.hasSuffix("no key of it is used\n"))
}

@Test func `so many API keys are read, and no more`() throws {
    func text(_ count: Int, _ owner: String) -> String {
        var text = "keys:\n"
        for index in 0..<count {
            let digits = String(index, radix: 16)
            let zeros = String(repeating: "0", count: 64 - digits.count)
            text += "  sha256:\(zeros)\(digits): \(owner)\n"
        }
        return text
    }
    #expect(try read(text(2000, "{user: u, company: c, tier: t}")).get().count == 2000)
    #expect(
        problems(text(100_001, "{user: u}"))
            == ["2:3 expected a mapping of at most 100000 keys"])
}
