public import HTTPModel
import Primitives

/// The conditions of a GET or HEAD against a stored answer (RFC 9110 §13, RFC 9111 §4.3.2).
public enum Conditions {
    /// The fields that the cache itself answers; a fetch for the cache goes upstream without them, or the
    /// origin's 304 would leave nothing to store.
    public static let evaluated: FieldNameSet = [.ifNoneMatch, .ifModifiedSince]

    /// Those, and the fields that ask for a part: the cache fetches whole answers and serves parts of them.
    public static let notFetchedWith: FieldNameSet = [
        .ifNoneMatch, .ifModifiedSince, .range, .ifRange,
    ]

    /// Whether the client already has what `head` describes: the answer is then 304.
    ///
    /// If-None-Match, in weak comparison, silences If-Modified-Since (cases `9110-13.…`). Without
    /// Last-Modified the answer's Date takes its place. Conditions matter only where the answer would be of
    /// status 2xx (RFC 9110 §13.2.1).
    ///
    /// - Parameters:
    ///   - request: The client's fields.
    ///   - head: The answer's head.
    ///   - now: Seconds since 1970, for two-digit years.
    /// - Returns: `true` for a 304, `false` for the whole answer.
    public static func areNotModified(
        _ request: borrowing FieldList, head: CachedHead, now: UInt64
    ) -> Bool {
        guard head.status.isSuccess, request.containsAny(of: evaluated) else { return false }
        if request.contains(.ifNoneMatch) {
            guard let range = head.etagRange else { return containsStar(request) }
            let bytes = head.bytes
            return matchesAny(request, etag: bytes.span(range))
        }
        guard request.count(of: .ifModifiedSince) == 1, let text = request.first(.ifModifiedSince),
            let since = HTTPDate.parse(text, now: now)
        else { return false }
        return (head.lastModifiedSeconds ?? head.date) <= since
    }

    private static func containsStar(_ request: borrowing FieldList) -> Bool {
        for i in request.indices where request[i].name == .ifNoneMatch {
            if request.value(at: i).equals("*") { return true }
        }
        return false
    }

    private static func matchesAny(_ request: borrowing FieldList, etag: Span<UInt8>) -> Bool {
        for i in request.indices where request[i].name == .ifNoneMatch {
            let line = request.value(at: i)
            if line.equals("*") { return true }
            var start = 0
            while start < line.count {
                let end = endOfTag(line, from: start)
                if weaklyEqual(line.extracting(start..<end).trimmed, etag) { return true }
                start = end + 1
            }
        }
        return false
    }

    /// The comma that ends the list member at `start`. Inside an entity tag's quotes commas are content, and
    /// a backslash is an ordinary character (RFC 9110 §8.8.3).
    private static func endOfTag(_ line: Span<UInt8>, from start: Int) -> Int {
        var isQuoted = false
        var i = start
        while i < line.count {
            if line[i] == UInt8(ascii: "\"") { isQuoted.toggle() }
            if line[i] == UInt8(ascii: ",") && !isQuoted { return i }
            i += 1
        }
        return line.count
    }

    /// Whether two entity tags are equal but for their `W/` (RFC 9110 §8.8.3.2).
    static func weaklyEqual(_ a: Span<UInt8>, _ b: Span<UInt8>) -> Bool {
        opaque(a).equals(opaque(b))
    }

    /// Whether two entity tags are equal and both strong (RFC 9110 §8.8.3.2).
    static func stronglyEqual(_ a: Span<UInt8>, _ b: Span<UInt8>) -> Bool {
        !isWeak(a) && a.equals(b)
    }

    /// Whether an entity tag says that it is weak.
    static func isWeak(_ tag: Span<UInt8>) -> Bool { tag.starts(with: "W/") }

    @_lifetime(copy tag)
    private static func opaque(_ tag: Span<UInt8>) -> Span<UInt8> {
        isWeak(tag) ? tag.extracting(2..<tag.count) : tag
    }
}

extension CachedHead {
    func hasTag(stronglyEqualTo tag: Span<UInt8>) -> Bool {
        guard let etagRange else { return false }
        let bytes = self.bytes
        return Conditions.stronglyEqual(bytes.span(etagRange), tag)
    }

    func hasTag(weaklyEqualTo tag: Span<UInt8>) -> Bool {
        guard let etagRange else { return false }
        let bytes = self.bytes
        return Conditions.weaklyEqual(bytes.span(etagRange), tag)
    }
}
