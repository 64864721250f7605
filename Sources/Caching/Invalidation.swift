public import HTTPModel
import Primitives

/// When stored answers must go, and of which targets (RFC 9111 §4.4, cases `9111-4.4-…`).
public enum Invalidation {
    /// Whether the answer to a request makes what is stored for its target invalid: any method that is not
    /// known to be safe, answered with 2xx or 3xx.
    public static func isDue(method: Method, status: Status) -> Bool {
        !method.isSafe && status.code >= 200 && status.code < 400
    }

    /// The fields of such an answer whose targets are invalidated too.
    public static let alsoNamed: FieldNameSet = [.location, .contentLocation]

    /// Writes the target that a reference in `alsoNamed` means, path and query in their normal spelling, over
    /// what `target` held (RFC 3986 §5).
    ///
    /// Only a target of the same origin, scheme, host and port, may be invalidated: another one's answers
    /// are not this origin's to remove.
    ///
    /// - Parameters:
    ///   - reference: The field's value: an absolute URI, or relative to the request's target.
    ///   - request: The request that was answered, its target normalised.
    ///   - isSecure: Whether the client spoke https.
    ///   - target: Takes the target.
    /// - Returns: The length of the path in it; `nil` when the reference is of another origin or malformed,
    ///   or has more `..` than there are segments.
    public static func resolve(
        _ reference: Span<UInt8>, for request: borrowing RequestHead, isSecure: Bool,
        into target: inout [UInt8]
    ) -> Int? {
        let end = reference.firstIndex(of: UInt8(ascii: "#")) ?? reference.count
        var rest = reference.extracting(0..<end)
        var hasAuthority = false
        if let colon = schemeEnd(of: rest) {
            let scheme = rest.extracting(0..<colon)
            guard scheme.equalsIgnoringCase(isSecure ? "https" : "http") else { return nil }
            rest = rest.extracting(colon + 1..<rest.count)
            // `http:path` names no host (RFC 3986 §5.2.2).
            guard rest.starts(with: "//") else { return nil }
        }
        if rest.starts(with: "//") {
            let pathStart = endOfAuthority(rest)
            let theirs = withoutDefaultPort(rest.extracting(2..<pathStart), isSecure)
            let ours = withoutDefaultPort(request.span(request.authority), isSecure)
            guard ours.count > 0, theirs.equalsIgnoringCase(ours) else { return nil }
            rest = rest.extracting(pathStart..<rest.count)
            hasAuthority = true
        }
        let joined = join(rest, to: request, isRooted: hasAuthority)
        return try? TargetNormaliser.normalise(joined.span, into: &target)
    }

    /// The reference, without scheme and authority, as a path with a query.
    private static func join(
        _ reference: Span<UInt8>, to request: borrowing RequestHead, isRooted: Bool
    ) -> [UInt8] {
        var joined: [UInt8] = []
        let path = request.span(request.path)
        if reference.count > 0 && reference[0] == UInt8(ascii: "/") {
            joined.append(reference)
        } else if isRooted {
            joined.append(UInt8(ascii: "/"))
            joined.append(reference)
        } else if reference.count == 0 {
            joined.append(request.span(request.target))
        } else if reference[0] == UInt8(ascii: "?") {
            joined.append(path)
            joined.append(reference)
        } else {
            var end = path.count
            while end > 0 && path[end - 1] != UInt8(ascii: "/") { end -= 1 }
            joined.append(path.extracting(0..<end))
            joined.append(reference)
        }
        return joined
    }

    /// The colon behind a scheme; `nil` when the reference is relative.
    private static func schemeEnd(of reference: Span<UInt8>) -> Int? {
        for i in reference.indices {
            let byte = reference[i]
            if byte == UInt8(ascii: ":") { return i > 0 ? i : nil }
            let isScheme =
                ASCII.isAlpha(byte)
                || i > 0
                    && (ASCII.isDigit(byte) || byte == UInt8(ascii: "+")
                        || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "."))
            if !isScheme { return nil }
        }
        return nil
    }

    private static func endOfAuthority(_ reference: Span<UInt8>) -> Int {
        var i = 2
        while i < reference.count, reference[i] != UInt8(ascii: "/"),
            reference[i] != UInt8(ascii: "?")
        {
            i += 1
        }
        return i
    }

    @_lifetime(copy authority)
    private static func withoutDefaultPort(
        _ authority: Span<UInt8>, _ isSecure: Bool
    ) -> Span<UInt8> {
        let port: StaticString = isSecure ? ":443" : ":80"
        var count = authority.count
        let length = isSecure ? 4 : 3
        if count >= length, authority.extracting(count - length..<count).equals(port) {
            count -= length
        } else if count > 0, authority[count - 1] == UInt8(ascii: ":") {
            count -= 1
        }
        return authority.extracting(0..<count)
    }
}
