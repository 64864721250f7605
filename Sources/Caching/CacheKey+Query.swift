import HTTPModel
import Primitives

/// The query within a key: which parameters count, and in which order.
extension CacheKey {
    /// Appends `?` and the parameters that count; nothing when none does.
    static func appendQuery(_ query: Span<UInt8>, to key: inout [UInt8], rules: CacheRules) {
        guard rules.changesQuery else {
            key.append(UInt8(ascii: "?"))
            return appendDoubling(query, to: &key)
        }
        if rules.sortsQuery && appendSorted(query, to: &key, rules: rules) { return }
        var separator = UInt8(ascii: "?")
        var i = 0
        while i <= query.count {
            let end = query.firstIndex(of: UInt8(ascii: "&"), from: i) ?? query.count
            let parameter = query.extracting(i..<end)
            if rules.counts(parameter.extracting(0..<nameEnd(of: parameter))) {
                key.append(separator)
                appendDoubling(parameter, to: &key)
                separator = UInt8(ascii: "&")
            }
            i = end + 1
        }
    }

    /// Appends the parameters in the order of their names, those of one name in the order they came; `false`,
    /// and nothing appended, when there are more than `CacheBounds.sortedParameters`.
    private static func appendSorted(
        _ query: Span<UInt8>, to key: inout [UInt8], rules: CacheRules
    ) -> Bool {
        var sorted = InlineArray<64, ByteRange>(repeating: .empty)
        var count = 0
        var i = 0
        while i <= query.count {
            let end = query.firstIndex(of: UInt8(ascii: "&"), from: i) ?? query.count
            let range = ByteRange(start: i, count: end - i)
            i = end + 1
            let name = name(of: range, in: query)
            guard rules.counts(name) else { continue }
            guard count < CacheBounds.sortedParameters else { return false }
            var place = count
            while place > 0, precedes(name, CacheKey.name(of: sorted[place - 1], in: query)) {
                sorted[place] = sorted[place - 1]
                place -= 1
            }
            sorted[place] = range
            count += 1
        }
        for place in 0..<count {
            key.append(UInt8(ascii: place == 0 ? "?" : "&"))
            appendDoubling(query.extracting(sorted[place].indices), to: &key)
        }
        return true
    }

    @_lifetime(copy query)
    private static func name(of range: ByteRange, in query: Span<UInt8>) -> Span<UInt8> {
        let parameter = query.extracting(range.indices)
        return parameter.extracting(0..<nameEnd(of: parameter))
    }

    private static func nameEnd(of parameter: Span<UInt8>) -> Int {
        parameter.firstIndex(of: UInt8(ascii: "=")) ?? parameter.count
    }

    /// Whether `a` stands before `b`, byte by byte.
    private static func precedes(_ a: Span<UInt8>, _ b: Span<UInt8>) -> Bool {
        for i in 0..<min(a.count, b.count) where a[i] != b[i] { return a[i] < b[i] }
        return a.count < b.count
    }
}
