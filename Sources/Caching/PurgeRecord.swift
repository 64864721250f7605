public import Primitives

/// One purge: which stored answers it means, and when it was asked for. What was asked of the origin before that
/// moment and matches is dead, or stale when the purge is soft.
///
/// A plain value that can be sent to other processes as a line (`line`, `init(line:)`):
///
///     00000000000000a7 1764340000000000000 soft tag analytics
public struct PurgeRecord: Sendable, Equatable {
    /// What the value names.
    public enum Kind: String, Sendable, CaseIterable {
        /// A cache key without the identity's parts (`CacheKey.buildBase`): all variants and identities of a URL.
        case key
        /// A tag, wherever it came from.
        case tag
        /// A group of one origin, `host group` or `https://host group` (RFC 9875).
        case group
        /// The beginning of the path and query, with the host before it or without.
        case prefix
        /// A pattern of the path, with that of the host before it or without.
        case glob
        /// The answers of one user, of routes with `vary_by: [user]`.
        case user
        /// The answers of one company, of routes with `vary_by: [company]`.
        case company
        /// Everything; the value is empty.
        case all
    }

    /// Tells it from others when it arrives twice.
    public var id: UInt64
    /// What `value` names.
    public var kind: Kind
    /// What is purged.
    public var value: [UInt8]
    /// Whether answers turn stale in place of leaving.
    public var isSoft: Bool
    /// When it was asked for.
    public var time: WallTime

    /// Creates a record.
    public init(id: UInt64, kind: Kind, value: [UInt8], isSoft: Bool, time: WallTime) {
        self.id = id
        self.kind = kind
        self.value = value
        self.isSoft = isSoft
        self.time = time
    }

    /// Why a value is none of its kind; `nil` when it is one.
    public enum Problem: Sendable, Equatable {
        /// It is empty, or is not although it should be.
        case empty
        /// It is longer than `CacheBounds.purgeBytes`.
        case tooLong
        /// A prefix or glob has no path that begins with `/`.
        case noPath
        /// A glob has more than `CacheBounds.globWildcards` wildcards.
        case tooManyWildcards
        /// A control character, or a line end.
        case unprintable
    }

    /// What is wrong with the value.
    public var problem: Problem? {
        guard value.isEmpty == (kind == .all) else { return .empty }
        guard value.count <= CacheBounds.purgeBytes else { return .tooLong }
        guard value.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else { return .unprintable }
        switch kind {
        case .prefix, .glob:
            guard let pattern = PurgePattern(value, isGlob: kind == .glob) else { return .noPath }
            return pattern.wildcards > CacheBounds.globWildcards ? .tooManyWildcards : nil
        case .group: return value.contains(ASCII.space) ? nil : .empty
        default: return nil
        }
    }
}

extension PurgeRecord {
    /// The record as one line without its end. A value is bytes, not always text.
    public var line: [UInt8] {
        let id = String(id, radix: 16)
        let padded = String(repeating: "0", count: 16 - id.count) + id
        let head = "\(padded) \(time.nanoseconds) \(isSoft ? "soft" : "hard") \(kind.rawValue) "
        return Array(head.utf8) + value
    }

    /// Reads a line; `nil` when it is no record whose value is one of its kind.
    public init?(line: Span<UInt8>) {
        let parts = line.copied.split(
            separator: ASCII.space, maxSplits: 4, omittingEmptySubsequences: false)
        guard parts.count == 5, parts[0].count == 16 else { return nil }
        let words = parts[..<4].map { String(decoding: $0, as: UTF8.self) }
        guard let id = UInt64(words[0], radix: 16), let nanoseconds = UInt64(words[1]),
            ["soft", "hard"].contains(words[2]), let kind = Kind(rawValue: words[3])
        else { return nil }
        self.init(
            id: id, kind: kind, value: Array(parts[4]), isSoft: words[2] == "soft",
            time: WallTime(nanoseconds: nanoseconds))
        guard problem == nil else { return nil }
    }
}
