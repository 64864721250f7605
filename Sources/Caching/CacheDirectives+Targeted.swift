public import HTTPModel
import Primitives

/// Targeted Cache-Control (RFC 9213): fields for one class of caches, which stand before Cache-Control.
extension CacheDirectives {
    /// The fields this cache is a target of, the most specific first (§2.2). Only the first is ours alone, and
    /// ends here.
    static func target(_ rank: Int) -> FieldName? {
        switch rank {
        case 0: .weirCacheControl
        case 1: .cdnCacheControl
        default: nil
        }
    }

    private static let targets: FieldNameSet = [.weirCacheControl, .cdnCacheControl]

    /// Reads what a response says to this cache (cases `9213-2.2-…`): the first targeted field that is there,
    /// well-formed and not empty decides alone; without one the Cache-Control lines do.
    public init(ofResponse fields: borrowing FieldList) {
        if let name = CacheDirectives.decidingField(of: fields) {
            self.init(targeted: fields.joined(name).span)
        } else {
            self.init(of: fields)
        }
    }

    /// The targeted field that decides; `nil` when there is none.
    static func decidingField(of fields: borrowing FieldList) -> FieldName? {
        guard fields.containsAny(of: targets) else { return nil }
        var rank = 0
        while let name = target(rank) {
            if fields.contains(name), counts(fields.joined(name).span) { return name }
            rank += 1
        }
        return nil
    }

    /// Whether a targeted field's text is a Dictionary with a member (§2.1).
    private static func counts(_ text: Span<UInt8>) -> Bool {
        var isEmpty = true
        do { try StructuredField.readDictionary(text) { _, _ in isEmpty = false } } catch {
            return false
        }
        return !isEmpty
    }

    /// Reads a targeted field, all of its lines joined (§2.1, cases `9213-2.1-…`).
    ///
    /// Of a repeated directive the last one counts. One whose value has not the type of the directive is as if it
    /// were absent: `max-age="60"`, `max-age=60.5`, `max-age=-1`, `no-store=?0`. A malformed text says nothing.
    init(targeted text: Span<UInt8>) {
        self.init()
        var read = CacheDirectives()
        do {
            try StructuredField.readDictionary(text) { key, value in
                read.take(key, value, of: text)
            }
        } catch {
            return
        }
        // The list is told of once, whichever of the two directives has it.
        if read.flags.contains(.listedNoCache) || read.flags.contains(.listedPrivate) {
            read.flags.insert(.withholdsFields)
            read.flags.subtract([.listedNoCache, .listedPrivate])
        }
        self = read
        flags.insert(.isTargeted)
    }

    private mutating func take(_ key: Span<UInt8>, _ value: StructuredValue, of text: Span<UInt8>) {
        if let timed = CacheDirectives.timed(key) {
            guard case .integer(let seconds) = value, seconds >= 0 else {
                return replace(timed, nil)
            }
            return replace(
                timed, UInt32(min(seconds, Int64(CacheBounds.deltaSecondsMax))))
        }
        guard let flag = CacheDirectives.flag(key) else { return }
        let listed: Flags =
            flag == .noCache ? .listedNoCache : flag == .isPrivate ? .listedPrivate : []
        flags.subtract([flag, listed])
        switch value {
        case .boolean(true):
            flags.insert(flag)
        case .string(let list) where !listed.isEmpty:
            flags.insert(WithheldFields.isList(text.extracting(list.indices)) ? listed : flag)
        default: break
        }
    }
}

extension CacheDirectives.Flags {
    fileprivate static let listedNoCache = CacheDirectives.Flags(rawValue: 1 << 13)
    fileprivate static let listedPrivate = CacheDirectives.Flags(rawValue: 1 << 14)
}
