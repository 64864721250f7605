import Primitives

/// The names under which answers stand in Redis: text that people can read.
///
///     weir:c:{GET:api.example.com:/reports?days=30|user=42}            the answer, or the fields it varies by
///     weir:c:{GET:api.example.com:/reports?days=30|user=42}~91f0c5…    a variant: 16 digits of what it varies by
///     weir:c:{GET:api.example.com:/reports?days=30|user=42}:lease      who fetches it for all
///     weir:t:{analytics}                                               the names of answers with a tag, or in a group
///
/// The braces hold a cache key, without its own around the method: what stands between the first two decides in a
/// cluster where a name is kept, so all names of one key are kept together, and those of different keys are not. Two
/// variants may share their digits: the value says in full what it is.
public enum SharedKey {
    /// The name for a cache key.
    public static func name(of key: Span<UInt8>, namespace: [UInt8]) -> [UInt8] {
        var name = namespace
        name.append(":c:{")
        if key.count > 0, key[0] == UInt8(ascii: "{"),
            let end = key.firstIndex(of: UInt8(ascii: "}"))
        {
            name.append(key.extracting(1..<end))
            name.append(key.extracting(end + 1..<key.count))
        } else {
            name.append(key)
        }
        name.append(UInt8(ascii: "}"))
        return name
    }

    /// The name of a variant.
    public static func name(
        of key: Span<UInt8>, variant: VariantKey, namespace: [UInt8]
    ) -> [UInt8] {
        var name = name(of: key, namespace: namespace)
        guard !variant.names.isEmpty else { return name }
        name.append(UInt8(ascii: "~"))
        var hasher = KeyedHasher(seed: KeyedHasher.Seed(0, 0))
        hasher.append(variant.names.span)
        // No line begins so.
        hasher.append(ASCII.lf)
        hasher.append(variant.values.span)
        var digest = hasher.finish().low
        for _ in 0..<16 {
            let digit = UInt8(truncatingIfNeeded: digest >> 60)
            name.append(digit < 10 ? 48 + digit : 87 + digit)
            digest <<= 4
        }
        return name
    }

    /// The name of the lease on fetching a key.
    public static func lease(of key: Span<UInt8>, namespace: [UInt8]) -> [UInt8] {
        var name = name(of: key, namespace: namespace)
        name.append(":lease")
        return name
    }

    /// The name of the set of those answers that a purge of the tag or group `value` means.
    public static func set(of value: [UInt8], namespace: [UInt8]) -> [UInt8] {
        var name = namespace
        name.append(":t:{")
        name.append(value.span)
        name.append(UInt8(ascii: "}"))
        return name
    }

    /// The cache key of an answer's or a variant's name; `nil` for leases, and for what is no name.
    public static func key(of name: Span<UInt8>, namespace: [UInt8]) -> [UInt8]? {
        var start = namespace
        start.append(":c:{")
        var end = name.count
        // `}~` and 16 digits.
        if end > 18, name[end - 17] == UInt8(ascii: "~") { end -= 17 }
        guard end > start.count, name[end - 1] == UInt8(ascii: "}"),
            name.extracting(0..<start.count).equals(start.span)
        else { return nil }
        let inner = name.extracting(start.count..<(end - 1))
        guard let colon = inner.firstIndex(of: UInt8(ascii: ":")) else { return nil }
        var key: [UInt8] = [UInt8(ascii: "{")]
        key.append(inner.extracting(0..<colon))
        key.append(UInt8(ascii: "}"))
        key.append(inner.extracting(colon..<inner.count))
        return key
    }
}
