import Primitives

/// Where the answers lie in Redis that a purge has made dead, so that their memory can be given back.
///
/// What is dead the purges say (`PurgeHistory`), whoever looks; this only says where to look.
public enum PurgeRemains: Sendable, Hashable {
    /// Among those in the set of a tag.
    case tag([UInt8])
    /// Among those in the set of a group: host, space, name.
    case group([UInt8])
    /// Anywhere.
    case anywhere

    /// Where to look after `record`; `nil`: nowhere. A soft purge lets answers stand; what one of a single URL means is
    /// removed by its name.
    public init?(of record: PurgeRecord) {
        guard !record.isSoft else { return nil }
        switch record.kind {
        case .key: return nil
        case .tag: self = .tag(record.value)
        case .group: self = .group(record.value)
        case .prefix, .glob, .user, .company, .all: self = .anywhere
        }
    }

    /// What the members of its set are known to be; nothing of what lies anywhere.
    public var tags: CacheTags {
        var tags = CacheTags()
        switch self {
        case .tag(let tag): tags.append(tag.span, from: .route)
        case .group(let group):
            if let space = group.firstIndex(of: ASCII.space) {
                tags.append(group.span.extracting((space + 1)...), from: .group)
            }
        case .anywhere: break
        }
        return tags
    }

    /// What it is, for people: `tag analytics`.
    public var text: String {
        switch self {
        case .tag(let tag): "tag \(String(decoding: tag, as: UTF8.self))"
        case .group(let group): "group \(String(decoding: group, as: UTF8.self))"
        case .anywhere: "all names"
        }
    }
}

extension CachedHead {
    /// What purges by tag and group may name to mean this answer: its tags, and its groups with their host before them;
    /// each once, `CacheBounds.sharedTags` at most.
    public var purgeNames: [[UInt8]] {
        var names: [[UInt8]] = []
        let key = self.key
        let origin = PurgeSubject.origin(of: key.span)
        tags.forEach { source, tag in
            guard names.count < CacheBounds.sharedTags else { return }
            var name: [UInt8] = []
            if source == .group {
                name = origin
                name.append(ASCII.space)
            }
            name.append(tag)
            if !names.contains(name) { names.append(name) }
        }
        return names
    }
}
