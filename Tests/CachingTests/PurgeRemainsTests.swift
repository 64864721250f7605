import Caching
import Primitives
import Testing

/// Where answers are looked for in Redis that a purge has made dead.
@Suite struct PurgeRemainsTests {
    private let namespace = bytes("weir")
    private let history = PurgeHistory(seed: KeyedHasher.Seed(1, 2))

    private func position(_ sequence: UInt64, generation: UInt32 = 5) -> PurgePosition {
        PurgePosition(generation: generation, sequence: sequence)
    }

    private func record(
        _ kind: PurgeRecord.Kind, _ value: String, soft: Bool = false
    ) -> PurgeRecord {
        PurgeRecord(
            id: 7, kind: kind, value: bytes(value), isSoft: soft, time: clock(0).wall)
    }

    @Test func `only hard purges of many leave something behind`() {
        #expect(PurgeRemains(of: record(.tag, "a")) == .tag(bytes("a")))
        #expect(PurgeRemains(of: record(.group, "h g")) == .group(bytes("h g")))
        for kind in [PurgeRecord.Kind.prefix, .glob, .user, .company, .all] {
            #expect(PurgeRemains(of: record(kind, "/a")) == .anywhere)
        }
        #expect(PurgeRemains(of: record(.key, "{GET}:a:/")) == nil)
        #expect(PurgeRemains(of: record(.tag, "a", soft: true)) == nil)
    }

    @Test(arguments: [
        "{GET}:example.com:/a?x=1|user=42", "{POST}:example.com:80:/}~0123456789abcdef|body=x",
        "{GET}:[::1]:8080:/a}b{c",
    ])
    func `a name tells its key`(text: String) {
        let key = bytes(text)
        let name = SharedKey.name(of: key.span, namespace: namespace)
        #expect(SharedKey.key(of: name.span, namespace: namespace) == key)
        let variant = VariantKey(
            names: bytes("accept-language\n"), request: fields([("Accept-Language", "de")]))
        let other = SharedKey.name(of: key.span, variant: variant, namespace: namespace)
        #expect(SharedKey.key(of: other.span, namespace: namespace) == key)
        let lease = SharedKey.lease(of: key.span, namespace: namespace)
        #expect(SharedKey.key(of: lease.span, namespace: namespace) == nil)
        #expect(SharedKey.key(of: name.span, namespace: bytes("web")) == nil)
    }

    @Test(arguments: ["", "weir:c:{", "weir:c:{}", "weir:c:{GET}", "weir:t:{a:b}", "weir:c:{a:b"])
    func `what is no name tells none`(text: String) {
        #expect(SharedKey.key(of: bytes(text).span, namespace: namespace) == nil)
    }

    @Test func `an answer's sets are its tags and its groups, each once and not too many`() {
        let tags = (0..<40).map { "t\($0)" }.joined(separator: " ")
        let stored = CachingTests.stored(
            request("/a"),
            [
                ("Cache-Control", "max-age=100"), ("Cache-Tag", "t1, one"),
                ("Surrogate-Key", "one two"), ("Cache-Groups", "\"g\""),
            ])
        #expect(
            Set(stored.head.purgeNames)
                == Set([bytes("one"), bytes("two"), bytes("t1"), bytes("example.com g")]))
        #expect(stored.head.purgeNames.count == 4)
        let many = CachingTests.stored(
            request("/a"), [("Cache-Control", "max-age=100"), ("Surrogate-Key", tags)])
        #expect(many.head.purgeNames.count == CacheBounds.sharedTags)
        #expect(
            SharedKey.set(of: bytes("one"), namespace: namespace) == bytes("weir:t:{one}"))
    }

    @Test func `dead is what came before a purge that means it, by the tags it is known to have`() {
        let key = bytes("{GET}:example.com:/a?x=1|user=42")
        history.begin(at: position(0))
        #expect(!history.isDead(key: key, tags: CacheTags(), at: position(0)))
        _ = history.add(record(.tag, "t"), at: position(1), now: at(1))
        let tags = PurgeRemains.tag(bytes("t")).tags
        #expect(!history.isDead(key: key, tags: CacheTags(), at: nil))
        #expect(history.isDead(key: key, tags: tags, at: nil))
        #expect(history.isDead(key: key, tags: tags, at: position(0)))
        // It was asked for after the purge.
        #expect(!history.isDead(key: key, tags: tags, at: position(1)))
        #expect(history.isDead(key: key, tags: tags, at: position(1, generation: 6)))
        _ = history.add(record(.group, "example.com g"), at: position(2), now: at(1))
        let group = PurgeRemains.group(bytes("example.com g")).tags
        #expect(history.isDead(key: key, tags: group, at: position(1)))
        #expect(!history.isDead(key: bytes("{GET}:b.com:/"), tags: group, at: position(1)))
        _ = history.add(record(.tag, "soft", soft: true), at: position(3), now: at(1))
        let soft = PurgeRemains.tag(bytes("soft")).tags
        #expect(!history.isDead(key: key, tags: soft, at: nil))
        _ = history.add(record(.prefix, "/a"), at: position(4), now: at(1))
        #expect(history.isDead(key: key, tags: CacheTags(), at: position(3)))
        #expect(!history.isDead(key: key, tags: CacheTags(), at: position(4)))
        _ = history.add(record(.user, "42"), at: position(5), now: at(1))
        #expect(history.isDead(key: key, tags: CacheTags(), at: position(4)))
        // What is dead stays so while purges may have been missed.
        #expect(!history.isTrusted(at: at(2)))
    }
}
