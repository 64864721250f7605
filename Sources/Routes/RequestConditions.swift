import HTTPModel
import Primitives

/// What routes ask of a request besides its path: methods, host and fields, over one block of bytes.
struct RequestConditions: Sendable {
    private struct Route: Sendable, BitwiseCopyable {
        /// Known methods by raw value, GET with HEAD; all bits: any method.
        var methods: UInt32 = 0
        /// Methods without a case of their own, as positions in `texts`.
        var otherMethods = ByteRange.empty
        /// The host, or for `*.example.com` its `.example.com`; `nil`: any.
        var host: ByteRange?
        var hostIsSuffix = false
        /// Positions in `fields`.
        var fields = ByteRange.empty
        /// Whether any request will do.
        var isUnconditional: Bool { methods == .max && host == nil && fields.isEmpty }
    }

    private struct FieldCondition: Sendable, BitwiseCopyable {
        var known: FieldName
        var name: ByteRange
        var value: ByteRange?
    }

    private var bytes: [UInt8] = []
    private var texts: [ByteRange] = []
    private var fields: [FieldCondition] = []
    private var routes: [Route] = []

    init(_ definitions: [RouteDefinition]) {
        for definition in definitions {
            var route = Route()
            compileMethods(definition.methods, into: &route)
            if let host = definition.host?.lowercased() {
                route.hostIsSuffix = host.hasPrefix("*.")
                route.host = keep(host.dropFirst(route.hostIsSuffix ? 1 : 0).utf8)
            }
            let first = fields.count
            for condition in definition.headers {
                let name = keep(condition.name.lowercased().utf8)
                let known = FieldName(recognising: bytes.span(name))
                fields.append(
                    FieldCondition(
                        known: known, name: name, value: condition.value.map { keep($0.utf8) }))
            }
            route.fields = ByteRange(start: first, count: fields.count - first)
            routes.append(route)
        }
    }

    private mutating func compileMethods(_ names: [String], into route: inout Route) {
        if names.isEmpty { route.methods = .max }
        let first = texts.count
        for name in names {
            let method = Method(Array(name.utf8).span)
            if method == .other {
                texts.append(keep(name.utf8))
            } else {
                route.methods |= 1 << UInt32(method.rawValue)
                // HEAD is GET without the body (RFC 9110 §9.3.2): who serves one serves the other.
                if method == .get { route.methods |= 1 << UInt32(Method.head.rawValue) }
            }
        }
        route.otherMethods = ByteRange(start: first, count: texts.count - first)
    }

    private mutating func keep(_ text: some Sequence<UInt8>) -> ByteRange {
        let start = bytes.count
        bytes += text
        return ByteRange(start: start, count: bytes.count - start)
    }

    /// Whether the conditions of the route at `index` hold for `request`.
    @inline(__always)
    func hold(for index: Int, _ request: borrowing RequestHead) -> Bool {
        // Most routes ask for nothing but a path.
        routes[index].isUnconditional || holdInFull(for: index, request)
    }

    @inline(never)
    private func holdInFull(for index: Int, _ request: borrowing RequestHead) -> Bool {
        let route = routes[index]
        return allowsMethod(route, request) && allowsHost(route, request)
            && allowsFields(route, request)
    }

    private func allowsMethod(_ route: Route, _ request: borrowing RequestHead) -> Bool {
        if (route.methods >> UInt32(request.method.rawValue)) & 1 == 1 { return true }
        guard request.method == .other else { return false }
        let name = request.span(request.methodRange)
        for position in route.otherMethods.indices
        where bytes.span(texts[position]).equals(name) { return true }
        return false
    }

    private func allowsHost(_ route: Route, _ request: borrowing RequestHead) -> Bool {
        guard let range = route.host else { return true }
        let wanted = bytes.span(range)
        let authority = request.span(request.authority)
        let host = authority.extracting(0..<hostLength(of: authority))
        if !route.hostIsSuffix { return host.equalsIgnoringCase(wanted) }
        // At least one byte stands before the suffix: `.example.com` itself is no host.
        guard host.count > wanted.count else { return false }
        return host.extracting((host.count - wanted.count)..<host.count).equalsIgnoringCase(wanted)
    }

    private func allowsFields(_ route: Route, _ request: borrowing RequestHead) -> Bool {
        for position in route.fields.indices where !isThere(fields[position], request) {
            return false
        }
        return true
    }

    /// Whether one line of the field has the value.
    private func isThere(_ condition: FieldCondition, _ request: borrowing RequestHead) -> Bool {
        if condition.known != .other && !request.fields.contains(condition.known) { return false }
        for index in request.fields.indices {
            guard request.fields[index].name == condition.known else { continue }
            if condition.known == .other {
                let name = request.fields.name(at: index)
                guard name.equalsIgnoringCase(bytes.span(condition.name)) else { continue }
            }
            guard let value = condition.value else { return true }
            if request.fields.value(at: index).equals(bytes.span(value)) { return true }
        }
        return false
    }
}

/// The bytes of the host at the start of an authority: without port, and without the dot that may end a
/// full domain name.
func hostLength(of authority: Span<UInt8>) -> Int {
    if authority.count > 0 && authority[0] == UInt8(ascii: "[") {
        return authority.firstIndex(of: UInt8(ascii: "]")).map { $0 + 1 } ?? authority.count
    }
    let end = authority.firstIndex(of: UInt8(ascii: ":")) ?? authority.count
    return end > 1 && authority[end - 1] == UInt8(ascii: ".") ? end - 1 : end
}
