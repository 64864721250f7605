public import HTTPModel
import Primitives

/// The tags of a stored answer, each with the place it came from; a purge by tag finds the answer by them.
///
///     bytes   [source][length, high byte first][a n a l y t i c s] [source][length][…]
///
/// Tags are compared byte by byte, with their case. Beyond `CacheBounds.tagsPerEntry` and
/// `CacheBounds.tagBytes` the list says that it is not whole, and the answer is not stored: a purge that cannot
/// find it would leave it there.
public struct CacheTags: Sendable, Equatable {
    /// Where a tag came from.
    public enum Source: UInt8, Sendable, BitwiseCopyable, CaseIterable {
        /// `Surrogate-Key` of the answer, separated by spaces.
        case surrogateKey
        /// `Cache-Tag` of the answer, separated by commas.
        case cacheTag
        /// `xkey` of the answer, separated by spaces or commas.
        case xkey
        /// `Cache-Groups` of the answer (RFC 9875 §2): a group of the answer's own origin.
        case group
        /// `tags:` of the route.
        case route
    }

    /// The packed tags.
    public private(set) var bytes: [UInt8] = []
    /// How many there are.
    public private(set) var count = 0
    /// Whether no tag was left out for a bound.
    public private(set) var isWhole = true

    /// No tags.
    public init() {}

    /// The tags in the fields of an answer (cases `9875-2-…`).
    public init(of fields: borrowing FieldList) {
        for source in Source.allCases where source != .route { read(source, of: fields) }
    }

    /// The tags that `bytes` of another list are; `nil` when they are none.
    init?(packed bytes: Span<UInt8>) {
        var i = 0
        while i < bytes.count {
            guard i + 3 <= bytes.count, Source(rawValue: bytes[i]) != nil,
                count < CacheBounds.tagsPerEntry
            else { return nil }
            let length = Int(bytes[i + 1]) << 8 | Int(bytes[i + 2])
            guard (1...CacheBounds.tagBytes).contains(length), i + 3 + length <= bytes.count else {
                return nil
            }
            count += 1
            i += 3 + length
        }
        self.bytes = bytes.copied
    }

    /// Adds a tag, unless it is empty or there already.
    public mutating func append(_ tag: Span<UInt8>, from source: Source) {
        guard tag.count > 0, !contains(tag, from: source) else { return }
        guard tag.count <= CacheBounds.tagBytes, count < CacheBounds.tagsPerEntry else {
            isWhole = false
            return
        }
        bytes.append(source.rawValue)
        bytes.append(UInt8(truncatingIfNeeded: tag.count >> 8))
        bytes.append(UInt8(truncatingIfNeeded: tag.count))
        bytes.append(tag)
        count += 1
    }

    /// Calls `body` with each tag in its order.
    public func forEach(_ body: (Source, Span<UInt8>) -> Void) {
        let bytes = self.bytes
        let all = bytes.span
        var i = 0
        while i < all.count {
            let length = Int(all[i + 1]) << 8 | Int(all[i + 2])
            if let source = Source(rawValue: all[i]) {
                body(source, all.extracting(i + 3..<i + 3 + length))
            }
            i += 3 + length
        }
    }

    /// Whether the tag is there, from `source`.
    private func contains(_ tag: Span<UInt8>, from source: Source) -> Bool {
        var found = false
        forEach { if $0 == source && $1.equals(tag) { found = true } }
        return found
    }

    /// These tags after a 304 with `fields`: a field that it has replaces the tags of the same field
    /// (RFC 9111 §3.2); the route's stay.
    func updated(by fields: borrowing FieldList) -> CacheTags {
        let new = CacheTags(of: fields)
        var isReplaced: [Bool] = []
        for source in Source.allCases {
            isReplaced.append(source.field.map { CacheTags.has($0, fields) } ?? false)
        }
        var merged = CacheTags()
        forEach { source, tag in
            if !isReplaced[Int(source.rawValue)] { merged.append(tag, from: source) }
        }
        new.forEach { merged.append($1, from: $0) }
        merged.isWhole = merged.isWhole && isWhole && new.isWhole
        return merged
    }

    // MARK: Reading fields

    private mutating func read(_ source: Source, of fields: borrowing FieldList) {
        guard let name = source.field else { return }
        if source == .group {
            for group in StructuredStrings.list(named: name, of: fields) ?? [] {
                append(group.span, from: .group)
            }
            return
        }
        for i in fields.indices where fields.name(at: i).equalsIgnoringCase(name) {
            split(fields.value(at: i), source)
        }
    }

    private mutating func split(_ line: Span<UInt8>, _ source: Source) {
        let comma = UInt8(ascii: ",")
        var start = 0
        for i in 0...line.count {
            if i < line.count {
                let isSpace = line[i] == ASCII.space || line[i] == ASCII.tab
                let ends =
                    switch source {
                    case .surrogateKey: isSpace
                    case .cacheTag: line[i] == comma
                    default: isSpace || line[i] == comma
                    }
                if !ends { continue }
            }
            append(line.extracting(start..<i).trimmed, from: source)
            start = i + 1
        }
    }

    private static func has(_ name: StaticString, _ fields: borrowing FieldList) -> Bool {
        for i in fields.indices where fields.name(at: i).equalsIgnoringCase(name) { return true }
        return false
    }

    /// Whether `name` is a field of tags that ends here: the answer goes on without it.
    public static func isConsumed(_ name: Span<UInt8>) -> Bool {
        switch name.count {
        case 4: name.equalsIgnoringCase("xkey")
        case 9: name.equalsIgnoringCase("cache-tag")
        case 13: name.equalsIgnoringCase("surrogate-key")
        default: false
        }
    }
}

extension CacheTags.Source {
    /// The field's name in lower case; `nil` for tags of the route.
    fileprivate var field: StaticString? {
        switch self {
        case .surrogateKey: "surrogate-key"
        case .cacheTag: "cache-tag"
        case .xkey: "xkey"
        case .group: "cache-groups"
        case .route: nil
        }
    }
}
