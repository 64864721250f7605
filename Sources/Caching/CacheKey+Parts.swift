import HTTPModel
import Primitives

/// The parts of a key behind its base.
///
///     |user=42|ip=192.0.2.1|header:accept-language=de|cookie:theme
///     |body=e3b0c442…b855|content-type=application/json
///
/// A field or cookie that is absent has no `=`: it is told apart from one that is there and empty.
extension CacheKey {
    /// Appends the parts of `rules` in their order; `false` when one of the identity is missing or empty.
    static func appendParts(
        to key: inout [UInt8], request: borrowing RequestHead, rules: CacheRules,
        user: Span<UInt8>?, company: Span<UInt8>?, tier: Span<UInt8>?, address: IPAddress,
        content: ContentDigest?
    ) -> Bool {
        for part in rules.parts {
            if part.kind == .body { continue }
            key.append(part.label.span)
            switch part.kind {
            case .user:
                guard append(user, to: &key) else { return false }
            case .company:
                guard append(company, to: &key) else { return false }
            case .tier:
                guard append(tier, to: &key) else { return false }
            case .ip:
                key.append(UInt8(ascii: "="))
                key.append(address)
            case .header: appendField(part, of: request.fields, to: &key)
            case .cookie: appendCookies(part.name, of: request.fields, to: &key)
            case .body: continue
            }
        }
        guard rules.keysContent(of: request.method) else { return true }
        guard let content else { return false }
        key.append("|body=")
        content.append(to: &key)
        for part in CacheRules.contentParts where request.fields.contains(part.known) {
            key.append(part.label.span)
            appendField(part, of: request.fields, to: &key)
        }
        return true
    }

    /// What every part behind the base begins with.
    private static let labels: [StaticString] = [
        "|user=", "|company=", "|tier=", "|ip=", "|header:", "|cookie:", "|body=",
    ]

    /// The length of a key's base (`buildBase`) within the whole key.
    static func baseCount(of key: Span<UInt8>) -> Int {
        var i = 0
        while let found = key.firstIndex(of: bar, from: i) {
            if found + 1 < key.count, key[found + 1] == bar {
                i = found + 2
                continue
            }
            let rest = key.extracting(found..<key.count)
            for label in labels where rest.starts(with: label) { return found }
            i = found + 1
        }
        return key.count
    }

    private static func append(_ value: Span<UInt8>?, to key: inout [UInt8]) -> Bool {
        guard let value, value.count > 0 else { return false }
        key.append(UInt8(ascii: "="))
        appendDoubling(value, to: &key)
        return true
    }

    /// Appends what the lines of a field say, joined and with white space made uniform, as for Vary.
    private static func appendField(
        _ part: borrowing KeyPart, of fields: borrowing FieldList, to key: inout [UInt8]
    ) {
        if part.known != .other && !fields.contains(part.known) { return }
        var separator = UInt8(ascii: "=")
        let start = key.count
        for i in fields.indices {
            guard
                part.known == .other
                    ? fields.name(at: i).equalsIgnoringCase(part.name.span)
                    : fields[i].name == part.known
            else { continue }
            key.append(separator)
            separator = UInt8(ascii: ",")
            VariantKey.appendNormalised(fields.value(at: i), to: &key)
        }
        doubleBars(from: start, in: &key)
    }

    /// Appends the values of all cookies called `name`, in their order: which of several the origin takes is
    /// not known. Each `=` begins a value; none is in the name, and a value may not have `;`.
    private static func appendCookies(
        _ name: [UInt8], of fields: borrowing FieldList, to key: inout [UInt8]
    ) {
        guard fields.contains(.cookie) else { return }
        var separator = UInt8(ascii: "=")
        for i in fields.indices where fields[i].name == .cookie {
            let line = fields.value(at: i)
            var start = 0
            while start <= line.count {
                let end = line.firstIndex(of: UInt8(ascii: ";"), from: start) ?? line.count
                let pair = line.extracting(start..<end).trimmed
                let nameEnd = pair.firstIndex(of: UInt8(ascii: "=")) ?? pair.count
                if nameEnd < pair.count, pair.extracting(0..<nameEnd).trimmed.equals(name.span) {
                    key.append(separator)
                    separator = UInt8(ascii: ";")
                    appendDoubling(pair.extracting((nameEnd + 1)..<pair.count).trimmed, to: &key)
                }
                start = end + 1
            }
        }
    }

    /// Doubles the bars of what was appended since `start`.
    private static func doubleBars(from start: Int, in key: inout [UInt8]) {
        var bars = 0
        for i in start..<key.count where key[i] == bar { bars += 1 }
        guard bars > 0 else { return }
        var from = key.count - 1
        for _ in 0..<bars { key.append(bar) }
        var to = key.count - 1
        while from >= start {
            key[to] = key[from]
            to -= 1
            if key[from] == bar {
                key[to] = bar
                to -= 1
            }
            from -= 1
        }
    }
}
