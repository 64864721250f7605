public import HTTPModel
import Primitives

/// Whose request it is, as templates see it. Lent for one evaluation.
public struct TagIdentity: ~Escapable {
    let user: Span<UInt8>?
    let company: Span<UInt8>?
    let tier: Span<UInt8>?

    /// Lends the parts of an identity.
    @_lifetime(copy user, copy company, copy tier)
    public init(user: Span<UInt8>?, company: Span<UInt8>?, tier: Span<UInt8>?) {
        self.user = user
        self.company = company
        self.tier = tier
    }
}

extension TagTemplate {
    /// The tags that a request makes of the template: none when a value is missing or empty, several when a parameter
    /// of the query stands there more than once, since the origin may take any of them.
    ///
    /// Values of path and query are percent-decoded, so that one value has one tag however it is written.
    public func tags(
        of request: borrowing RequestHead, _ identity: borrowing TagIdentity
    ) -> [[UInt8]] {
        var tags: [[UInt8]] = []
        var count = 1
        for part in parts {
            guard case .query(let name) = part else { continue }
            var occurrences = 0
            while occurrences < CacheBounds.templateOccurrences,
                TagTemplate.parameter(name, occurrences, of: request) != nil
            {
                occurrences += 1
            }
            count = max(count, occurrences)
        }
        for occurrence in 0..<count {
            guard let tag = tag(of: request, identity, occurrence) else { continue }
            if !tags.contains(tag) { tags.append(tag) }
        }
        return tags
    }

    private func tag(
        of request: borrowing RequestHead, _ identity: borrowing TagIdentity, _ occurrence: Int
    ) -> [UInt8]? {
        var tag: [UInt8] = []
        for part in parts {
            let start = tag.count
            switch part {
            case .literal(let bytes): tag.append(bytes.span)
            case .user: TagTemplate.append(identity.user, to: &tag)
            case .company: TagTemplate.append(identity.company, to: &tag)
            case .tier: TagTemplate.append(identity.tier, to: &tag)
            case .segment(let index, _):
                tag += TagTemplate.segment(index, of: request.span(request.path)) ?? []
            case .query(let name):
                // Of a parameter that is there less often than another one the last value stays.
                var i = occurrence
                while i > 0, TagTemplate.parameter(name, i, of: request) == nil { i -= 1 }
                tag += TagTemplate.parameter(name, i, of: request) ?? []
            case .header(let name):
                if let value = request.fields.first(named: name.span) { tag.append(value) }
            }
            if tag.count == start { return nil }
        }
        // What no purge can name is no tag.
        if tag.contains(where: { $0 < 0x20 || $0 == 0x7F }) { return nil }
        return tag.span.trimmed.count == tag.count ? tag : TagTemplate.trimmed(tag)
    }

    private static func trimmed(_ tag: [UInt8]) -> [UInt8]? {
        let trimmed = tag.span.trimmed.copied
        return trimmed.isEmpty ? nil : trimmed
    }

    private static func append(_ value: Span<UInt8>?, to tag: inout [UInt8]) {
        if let value { tag.append(value) }
    }

    /// A segment of a path; several slashes in a row count as one, as for routes.
    private static func segment(_ index: Int, of path: Span<UInt8>) -> [UInt8]? {
        let slash = UInt8(ascii: "/")
        var i = 0
        var number = 0
        while i < path.count {
            while i < path.count && path[i] == slash { i += 1 }
            let end = path.firstIndex(of: slash, from: i) ?? path.count
            if number == index { return decoded(path.extracting(i..<end), plusIsSpace: false) }
            number += 1
            i = end
        }
        return nil
    }

    /// The value of the parameter that is there for the `occurrence`-th time.
    private static func parameter(
        _ name: [UInt8], _ occurrence: Int, of request: borrowing RequestHead
    ) -> [UInt8]? {
        guard let range = request.query else { return nil }
        let query = request.span(range)
        var left = occurrence
        var start = 0
        while start <= query.count {
            let end = query.firstIndex(of: UInt8(ascii: "&"), from: start) ?? query.count
            let pair = query.extracting(start..<end)
            let nameEnd = pair.firstIndex(of: UInt8(ascii: "=")) ?? pair.count
            if decoded(pair.extracting(0..<nameEnd), plusIsSpace: true) == name {
                if left == 0 {
                    let value = pair.extracting(min(nameEnd + 1, pair.count)..<pair.count)
                    return decoded(value, plusIsSpace: true)
                }
                left -= 1
            }
            start = end + 1
        }
        return nil
    }

    private static func decoded(_ text: Span<UInt8>, plusIsSpace: Bool) -> [UInt8] {
        var bytes: [UInt8] = []
        var i = 0
        while i < text.count {
            if text[i] == UInt8(ascii: "%"), i + 2 < text.count,
                let high = ASCII.hexValue(text[i + 1]), let low = ASCII.hexValue(text[i + 2])
            {
                bytes.append(high << 4 | low)
                i += 3
                continue
            }
            bytes.append(plusIsSpace && text[i] == UInt8(ascii: "+") ? ASCII.space : text[i])
            i += 1
        }
        return bytes
    }
}
