public import HTTPModel
import Primitives

/// The parts of a key again, for purges.
extension CacheKey {
    /// Where host and target stand in a key; bars are doubled in both.
    struct Place {
        /// Host and port, in lower case.
        var host: Range<Int>
        /// Path and query.
        var target: Range<Int>
        /// Whether the client spoke https.
        var isSecure: Bool
    }

    /// Appends the origin of a request, as records of groups write it.
    public static func appendOrigin(
        of request: borrowing RequestHead, isSecure: Bool = false, to origin: inout [UInt8]
    ) {
        if isSecure { origin.append("https://") }
        let authority = request.span(request.authority)
        for i in authority.indices {
            origin.append(ASCII.lower(authority[i]))
            if authority[i] == bar { origin.append(bar) }
        }
    }

    /// Finds host and target: the path is the first thing with a slash, and ends at the first single bar.
    static func place(in key: Span<UInt8>) -> Place {
        let start = (key.firstIndex(of: UInt8(ascii: "}")) ?? -2) + 2
        let slash = key.firstIndex(of: UInt8(ascii: "/"), from: start) ?? key.count
        let end = singleBar(key, from: start) ?? key.count
        let target = min(slash, end)..<end
        let rest = key.extracting(end..<key.count)
        return Place(
            host: min(start, max(target.lowerBound - 1, start))..<max(target.lowerBound - 1, start),
            target: target, isSecure: rest.starts(with: "|https"))
    }

    /// Where the part `|name=value` stands in a key, `name` with its bar and sign.
    static func part(_ name: StaticString, of key: Span<UInt8>) -> Range<Int>? {
        var start = singleBar(key, from: 0)
        while let bar = start {
            let next = singleBar(key, from: bar + 1)
            let end = next ?? key.count
            if key.extracting(bar..<end).starts(with: name) { return bar..<end }
            start = next
        }
        return nil
    }

    /// The part `|name=value` as keys have it.
    static func part(_ name: StaticString, value: [UInt8]) -> [UInt8] {
        var part: [UInt8] = []
        part.append(name)
        for byte in value {
            if byte == UInt8(ascii: "|") { part.append(byte) }
            part.append(byte)
        }
        return part
    }

    /// The next bar that is not doubled.
    private static func singleBar(_ key: Span<UInt8>, from start: Int) -> Int? {
        let bar = UInt8(ascii: "|")
        var i = start
        while let found = key.firstIndex(of: bar, from: i) {
            guard found + 1 < key.count, key[found + 1] == bar else { return found }
            i = found + 2
        }
        return nil
    }
}
