public import Identity
import Primitives
import YAMLReader

extension Configuration {
    /// Reads and checks a file of API keys: `keys:`, a mapping of keys, in clear or as `sha256:`
    /// and 64 hexadecimal digits, to `user`, `company` and `tier`.
    ///
    /// Variables are not replaced in it. No message holds a key, nor any other text of the file:
    /// they say where it stands.
    ///
    /// - Parameters:
    ///   - bytes: The file, UTF-8, at most 16 MiB and 100,000 keys.
    ///   - file: Its name in messages.
    /// - Returns: The keys by their digest, or all problems.
    public static func apiKeys(
        _ bytes: [UInt8], file: String
    ) -> Result<[APIKeyEntry], ConfigurationFailure> {
        let report = Report(lines: YAMLText.lines(of: bytes))
        var bounds = YAMLBounds()
        bounds.bytes = Bounds.apiKeyFileBytes
        // A key with its mapping of three keys and values is eight nodes.
        bounds.nodes = 8 * Bounds.apiKeys + 16
        let document = YAMLDocument(reading: bytes, bounds: bounds)
        for problem in document.problems {
            let isDuplicate = problem.kind == .duplicateKey
            report.error(
                at: problem.range,
                isDuplicate ? "the same key stands above already" : problem.message,
                help: isDuplicate ? nil : problem.help)
        }
        var entries: [APIKeyEntry] = []
        if let root = document.root, !root.isNull {
            entries = report.apiKeyFile(root)
        } else if report.problems.isEmpty {
            let start = YAMLRange(start: .start, end: .start)
            report.error(at: start, "the file says nothing", help: APIKeyText.example)
        }
        if report.problems.isEmpty { return .success(entries) }
        return .failure(
            ConfigurationFailure(
                file: file, problems: report.problems, lines: [],
                consequence: "no key of it is used"))
    }
}

extension Report {
    fileprivate func apiKeyFile(_ root: YAMLNode) -> [APIKeyEntry] {
        guard case .mapping(let top) = root.content else {
            error(at: root.range, "expected a mapping with `keys`", help: APIKeyText.example)
            return []
        }
        for entry in top where entry.key != "keys" {
            error(
                at: entry.keyRange, "unknown key; a file of API keys has only `keys`",
                help: APIKeyText.example)
        }
        guard let keys = top.first(where: { $0.key == "keys" })?.value else {
            if top.isEmpty { error(at: root.range, "`keys` is missing", help: APIKeyText.example) }
            return []
        }
        guard case .mapping(let entries) = keys.content, entries.count <= Bounds.apiKeys else {
            error(
                at: keys.range, "expected a mapping of at most \(Bounds.apiKeys) keys",
                help: APIKeyText.example)
            return []
        }
        var lines: [[UInt8]: Int] = [:]
        return entries.compactMap { entry in
            let owner = owner(entry)
            guard let digest = APIKeyText.digest(entry.key) else {
                error(
                    at: entry.keyRange,
                    "keys: expected `sha256:` and 64 hexadecimal digits, or "
                        + "\(Bounds.apiKeyBytes.lowerBound) to \(Bounds.apiKeyBytes.upperBound) "
                        + "visible ASCII characters")
                return nil
            }
            if let line = lines[digest] {
                error(at: entry.keyRange, "keys: the same key is already used at line \(line)")
            }
            lines[digest] = entry.keyRange.start.line
            guard var owner else { return nil }
            owner.digest = digest
            return owner
        }
    }

    /// Whose key it is; the digest is left empty. `nil` after a fault.
    private func owner(_ entry: YAMLEntry) -> APIKeyEntry? {
        guard case .mapping(let parts) = entry.value.content, !parts.isEmpty else {
            error(
                at: entry.keyRange, "keys: expected a mapping with `user`, `company` or `tier`",
                help: APIKeyText.example)
            return nil
        }
        var owner = APIKeyEntry(digest: [], user: nil, company: nil, tier: nil)
        let before = problems.count
        for part in parts {
            switch part.key {
            case "user": owner.user = ownerText(part, Bounds.identityBytes)
            case "company": owner.company = ownerText(part, Bounds.identityBytes)
            case "tier": owner.tier = ownerText(part, 1...Bounds.tierBytes)
            default:
                error(
                    at: part.keyRange,
                    "keys: unknown key; a key has only `user`, `company` and `tier`")
            }
        }
        return problems.count == before ? owner : nil
    }

    private func ownerText(_ part: YAMLEntry, _ bytes: ClosedRange<Int>) -> String? {
        guard case .scalar(let text, _) = part.value.content, !part.value.isNull,
            bytes.contains(text.utf8.count), Text.isFieldValue(text)
        else {
            error(
                at: part.value.range,
                "keys: expected the \(part.key), \(bytes.lowerBound) to \(bytes.upperBound) "
                    + "visible characters")
            return nil
        }
        return text
    }
}

/// API keys as the file writes them.
enum APIKeyText {
    static let example = "for example `keys: {\"sha256:…\": {user: ada, tier: pro}}`"

    /// The digest of a key, given as it is or in clear; `nil` when it is neither.
    static func digest(_ key: String) -> [UInt8]? {
        let bytes = Array(key.utf8)
        guard key.hasPrefix("sha256:") else {
            guard Bounds.apiKeyBytes.contains(bytes.count),
                bytes.allSatisfy({ (0x21...0x7E).contains($0) })
            else { return nil }
            return APIKeyEntry.digest(of: bytes)
        }
        let values = bytes.dropFirst(7).compactMap { ASCII.hexValue($0) }
        guard bytes.count == 71, values.count == 64 else { return nil }
        return stride(from: 0, to: 64, by: 2).map { values[$0] << 4 | values[$0 + 1] }
    }
}
