import Caching
import HTTP1
import HTTPModel
import Identity
import Primitives

/// The heads that the proxy passes on, in both directions.
enum ForwardedHead {
    // MARK: Request

    /// Appends the request as the origin of `route` gets it.
    ///
    /// Hop-by-hop fields end here; forwarding fields are made anew (`identity` decides what is believed), and so
    /// are the fields that tell the origin who asks; credentials pass on as they are; `Expect` is answered by the proxy itself. `origin` is the authority for requests that name none.
    ///
    /// A request for the cache is a plain one: without the client's own conditions, without its range unless
    /// `keepingRange`, and without its codings where the cache makes them itself. The final empty line is left
    /// to the caller.
    static func append(
        _ request: borrowing RequestHead, _ identity: borrowing ResolvedIdentity,
        _ route: Route, _ blueprint: Blueprint, _ origin: [UInt8], peer: AddressText,
        forCache: Bool,
        keepingRange: Bool = false, to buffer: ByteBuffer
    ) {
        if route.strippedSegments > 0 {
            appendStrippedRequestLine(request, route, to: buffer)
        } else {
            HTTP1Writer.appendRequestLine(request, to: buffer)
        }
        // A client of HTTP/1.0 may name no host; the origin's own name is the best there is.
        let host = request.authority.isEmpty ? origin.span : request.span(request.authority)
        buffer.append("Host: ", host, "\r\n")
        let own = blueprint.identityFields
        let encodes = forCache && route.cache?.compression != nil
        let hops = request.method == .options ? remainingHops(request) : nil
        var left = own.left(identity)
        if hops != nil { left.insert(.maxForwards) }
        if encodes { left.insert(.acceptEncoding) }
        if forCache {
            left = left.union(keepingRange ? Conditions.evaluated : Conditions.notFetchedWith)
        }
        let listsNames = HopByHop.listsNames(request.fields)
        HTTP1Writer.appendFields(of: request.fields, without: left, to: buffer) { index in
            let name = request.fields.name(at: index)
            if listsNames && HopByHop.isListed(name, in: request.fields) { return false }
            return !own.isOwn(name) && (identity.peerIsTrusted || !own.isClaim(name))
        }
        if let hops { HTTP1Writer.appendField(.maxForwards, decimal: hops, to: buffer) }
        if encodes { HTTP1Writer.appendField(.acceptEncoding, "identity", to: buffer) }
        switch request.framing {
        case .length(let length):
            HTTP1Writer.appendContentLength(length, to: buffer)
        case .chunked: HTTP1Writer.appendField(.transferEncoding, "chunked", to: buffer)
        case .none, .untilClose: break
        }
        appendVia(request.version, to: buffer)
        IdentityResolver.appendForwardedFields(
            request: request, identity: identity, peer: peer, isTLS: false, to: buffer)
        own.append(identity, to: buffer)
    }

    /// Fields of requests that are written anew from what was understood of them, and the one answered here.
    static let madeAnew: FieldNameSet = [.host, .contentLength, .expect]

    /// Appends the end of a chunked body with the request's trailers, of which none may say who the client is.
    static func appendLastChunk(
        trailers: borrowing FieldList, _ blueprint: Blueprint, to buffer: ByteBuffer
    ) {
        let own = blueprint.identityFields
        buffer.append("0\r\n")
        for index in trailers.indices {
            let name = trailers.name(at: index)
            if own.isOwn(name) || own.isClaim(name) { continue }
            HTTP1Writer.appendField(name: name, value: trailers.value(at: index), to: buffer)
        }
        buffer.append("\r\n")
    }

    /// The request line, without the prefix that the route strips.
    private static func appendStrippedRequestLine(
        _ request: borrowing RequestHead, _ route: Route, to buffer: ByteBuffer
    ) {
        let target = request.span(request.target)
        let start = end(of: route.strippedSegments, in: request.span(request.path))
        let rest = target.extracting(start..<target.count)
        if rest.count > 0 && rest[0] == UInt8(ascii: "/") {
            HTTP1Writer.appendRequestLine(head: request, target: rest, to: buffer)
            return
        }
        // `/api?x` without `/api` is `/?x`.
        var rooted: [UInt8] = [UInt8(ascii: "/")]
        rooted.append(rest)
        HTTP1Writer.appendRequestLine(head: request, target: rooted.span, to: buffer)
    }

    /// Where the rest of `path` begins behind its first segments: as for routes, several slashes in a row
    /// count as one. Of those before the rest one is left: `//host` means something else to many readers.
    private static func end(of segments: Int, in path: Span<UInt8>) -> Int {
        let slash = UInt8(ascii: "/")
        var i = 0
        for _ in 0..<segments {
            while i < path.count && path[i] == slash { i += 1 }
            while i < path.count && path[i] != slash { i += 1 }
        }
        while i + 1 < path.count && path[i] == slash && path[i + 1] == slash { i += 1 }
        return i
    }

    /// Max-Forwards of an OPTIONS request, one less (RFC 9110 §7.6.2); `nil` when there is none to count.
    private static func remainingHops(_ request: borrowing RequestHead) -> UInt64? {
        guard let hops = request.fields.first(.maxForwards)?.decimalValue, hops > 0 else {
            return nil
        }
        return hops - 1
    }

    // MARK: Response

    /// Appends the head of an origin's answer without its final empty line.
    ///
    /// `merge` says which of the origin's fields about its limits are replaced; the field called `withheld`, if it
    /// has a name, is for the cache alone.
    static func append(
        _ response: borrowing ResponseHead, _ framing: BodyFraming, _ merge: LimitFieldMerge,
        withholding withheld: [UInt8]? = nil, to buffer: ByteBuffer
    ) {
        HTTP1Writer.appendStatusLine(response.status, to: buffer)
        // What an origin says to this cache alone ends here (RFC 9213 §2.2).
        var left = HopByHop.known.union(merge.dropped)
        left.insert(.weirCacheControl)
        if framing != .none { left.insert(.contentLength) }
        if let withheld, !withheld.isEmpty {
            let known = FieldName(recognising: withheld.span)
            if known != .other { left.insert(known) }
        }
        let listsNames = HopByHop.listsNames(response.fields)
        HTTP1Writer.appendFields(of: response.fields, without: left, to: buffer) { index in
            let name = response.fields.name(at: index)
            if listsNames && HopByHop.isListed(name, in: response.fields) { return false }
            if merge.dropsOther(name) { return false }
            guard let withheld, !withheld.isEmpty else { return true }
            return !name.equalsIgnoringCase(withheld.span)
        }
        switch framing {
        case .length(let length):
            HTTP1Writer.appendContentLength(length, to: buffer)
        case .chunked: HTTP1Writer.appendField(.transferEncoding, "chunked", to: buffer)
        case .none, .untilClose: break
        }
        appendVia(response.version, to: buffer)
    }

    @inline(__always)
    private static func appendVia(_ version: HTTPVersion, to buffer: ByteBuffer) {
        if version == .http11 {
            buffer.append("Via: 1.1 weir\r\n")
        } else {
            buffer.append("Via: 1.0 weir\r\n")
        }
    }
}
