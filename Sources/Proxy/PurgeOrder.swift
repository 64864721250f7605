import Caching
import HTTP1
import HTTPModel
import Identity
import Primitives
import Routes
import Settings

/// What somebody wants purged, in their words.
public struct PurgeOrder: Sendable, Equatable {
    /// What can be named.
    public enum Target: String, Sendable, CaseIterable {
        /// A URL: all variants and identities of its answer.
        case url
        /// A tag.
        case tag
        /// A group of one origin (RFC 9875): `host group`.
        case group
        /// The beginning of a path, with the host before it or without.
        case prefix
        /// A pattern of a path, with the host before it or without.
        case glob
        /// A user.
        case user
        /// A company.
        case company
        /// Everything.
        case all
    }

    /// What is named.
    public var target: Target
    /// Its name; empty for everything.
    public var value: String
    /// Whether answers turn stale in place of leaving.
    public var isSoft: Bool

    /// Creates an order.
    public init(_ target: Target, _ value: String, isSoft: Bool) {
        self.target = target
        self.value = value
        self.isSoft = isSoft
    }

    /// Why an order cannot be carried out, in a sentence.
    public struct Problem: Error, Sendable, Equatable {
        /// The sentence.
        public let text: String
        init(_ text: String) { self.text = text }
    }

    /// What to purge of a store that `blueprint` fills. A URL may have several keys, when routes see it differently.
    func records(
        by blueprint: Blueprint, at now: ClockReading, using random: inout SeededRandom
    ) throws(Problem) -> [PurgeRecord] {
        guard blueprint.caches else { throw Problem("no route caches") }
        let kind: PurgeRecord.Kind
        var values = [Array(value.utf8)]
        switch target {
        case .url:
            kind = .key
            values = try CachedURL(value, by: blueprint).bases
        case .tag: kind = .tag
        case .group: kind = .group
        case .prefix: kind = .prefix
        case .glob: kind = .glob
        case .user: kind = .user
        case .company: kind = .company
        case .all: kind = .all
        }
        if target == .user { try requirePart(.user, blueprint) }
        if target == .company { try requirePart(.company, blueprint) }
        var records: [PurgeRecord] = []
        for value in values {
            let record = PurgeRecord(
                id: random.next(), kind: kind, value: value, isSoft: isSoft, time: now.wall)
            if let problem = record.problem { throw Problem(words(for: problem)) }
            records.append(record)
        }
        return records
    }

    private func requirePart(_ part: CachePolicy.VaryBy, _ blueprint: Blueprint) throws(Problem) {
        let isThere = blueprint.settings.routes.contains {
            $0.cache?.varyBy.contains(part) ?? false
        }
        guard isThere else {
            throw Problem(
                "no route has `vary_by: [\(target.rawValue)]`: no answer is one \(target.rawValue)'s"
            )
        }
    }

    private func words(for problem: PurgeRecord.Problem) -> String {
        switch problem {
        case .empty where target == .all: "`all` takes no value"
        case .empty where target == .group: "a group is `HOST NAME`, not `\(value)`"
        case .empty: "`\(target.rawValue)` needs a value"
        case .tooLong: "a value has at most \(CacheBounds.purgeBytes) bytes"
        case .noPath: "`\(value)` has no path: write `/path` or `host/path`"
        case .tooManyWildcards: "a glob has at most \(CacheBounds.globWildcards) wildcards"
        case .unprintable: "a value has no control characters"
        }
    }
}

/// A URL as the keys of stored answers have it.
struct CachedURL {
    /// The request for it.
    let request: RequestHead
    /// The keys without identities, one for each way in which routes see the URL.
    let bases: [[UInt8]]

    /// Reads `https://host/path?query`, also without its scheme.
    init(_ text: String, by blueprint: Blueprint) throws(PurgeOrder.Problem) {
        var rest = text[...]
        for scheme in ["http://", "https://"] where rest.lowercased().hasPrefix(scheme) {
            rest = rest.dropFirst(scheme.count)
        }
        guard let slash = rest.firstIndex(of: "/"), slash > rest.startIndex else {
            throw PurgeOrder.Problem(
                "`\(text)` is no URL with a host and a path, such as https://api.example.com/reports"
            )
        }
        let target = rest[slash...].prefix { $0 != "#" }
        var request = RequestHead()
        do throws(AskedRequest.Problem) {
            let asked = try AskedRequest("GET \(target)", fields: ["Host: \(rest[..<slash])"])
            if let error = asked.read(into: &request, blueprint) {
                throw AskedRequest.Problem(text: "`\(text)` is no URL: \(error.reason)")
            }
        } catch {
            throw PurgeOrder.Problem(error.text)
        }
        var bases: Set<[UInt8]> = []
        for route in blueprint.routes {
            guard let rules = route.cache else { continue }
            var asked = request
            for (methods, method) in CachePolicy.Methods.all
            where rules.policy.methods.contains(methods) {
                asked.method = method
                for isSecure in [false, true] {
                    var base: [UInt8] = []
                    CacheKey.buildBase(
                        into: &base, request: asked, rules: rules, isSecure: isSecure)
                    bases.insert(base)
                }
            }
        }
        self.request = request
        self.bases = bases.sorted { $0.lexicographicallyPrecedes($1) }
    }
}
