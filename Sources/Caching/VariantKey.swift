public import HTTPModel
import Primitives

/// The secondary key of a stored answer: the fields its Vary names and what its request said in them.
///
///     names   accept-encoding␊accept-language␊
///     values  =gzip, br␊␊                         the second field was absent
///
/// Values are compared in full, never by a hash. Lines of one field are joined, white space around commas
/// and runs of white space outside quotes are taken for one form (RFC 9111 §4.1, cases `9111-4.1-…`).
public struct VariantKey: Sendable, Equatable {
    /// Names in lower case, each with a line feed; empty: the answer does not vary.
    public let names: [UInt8]
    /// For each name the value after `=`, or nothing when it was absent, and a line feed.
    public let values: [UInt8]

    /// The variant of answers without Vary.
    public static var none: VariantKey { VariantKey(names: [], values: []) }

    init(names: [UInt8], values: [UInt8]) {
        self.names = names
        self.values = values
    }

    /// The variant of `response` to `request`.
    ///
    /// `encodes`: the request's Accept-Encoding did not go to the origin, which was asked for no coding. To an
    /// answer without one that field means nothing.
    public init(
        response: borrowing FieldList, request: borrowing FieldList, encodes: Bool = false
    ) {
        guard response.contains(.vary) else {
            self = .none
            return
        }
        let ignoresCodings = encodes && !response.contains(.contentEncoding)
        var names: [UInt8] = []
        VariantKey.eachName(of: response) { name in
            if ignoresCodings && name.equalsIgnoringCase("accept-encoding") { return }
            if !VariantKey.contains(name, in: names) {
                for i in name.indices { names.append(ASCII.lower(name[i])) }
                names.append(ASCII.lf)
            }
        }
        self.init(names: names, request: request)
    }

    /// The variant that `request` would have if answers vary by `names`.
    public init(names: [UInt8], request: borrowing FieldList) {
        var values: [UInt8] = []
        VariantKey.appendValues(of: request, names: names, to: &values)
        self.init(names: names, values: values)
    }

    /// Whether `request` selects this variant.
    ///
    /// - Parameters:
    ///   - request: The request's fields.
    ///   - scratch: A block that is reused; warm, it is not grown.
    /// - Returns: Whether all named fields say the same.
    public func matches(_ request: borrowing FieldList, scratch: inout [UInt8]) -> Bool {
        if names.isEmpty { return true }
        scratch.removeAll(keepingCapacity: true)
        VariantKey.appendValues(of: request, names: names, to: &scratch)
        return scratch.span.equals(values.span)
    }
}

// MARK: Vary

extension VariantKey {
    /// What a Vary field says.
    enum Named {
        case star, tooMany, names
    }

    /// Reads Vary without keeping it.
    static func named(by fields: borrowing FieldList) -> Named {
        guard fields.contains(.vary) else { return .names }
        var count = 0
        var hasStar = false
        eachName(of: fields) { name in
            count += 1
            if name.equals("*") { hasStar = true }
        }
        if hasStar { return .star }
        return count > CacheBounds.varyNamesMax ? .tooMany : .names
    }

    /// Calls `body` with each member of all Vary lines.
    private static func eachName(of fields: borrowing FieldList, _ body: (Span<UInt8>) -> Void) {
        for i in fields.indices where fields[i].name == .vary {
            let line = fields.value(at: i)
            var start = 0
            while start < line.count {
                let end = line.firstIndex(of: UInt8(ascii: ","), from: start) ?? line.count
                let name = line.extracting(start..<end).trimmed
                if name.count > 0 { body(name) }
                start = end + 1
            }
        }
    }

    /// Whether Vary names `name`, which is in lower case.
    static func isNamed(_ name: StaticString, by fields: borrowing FieldList) -> Bool {
        var isNamed = false
        eachName(of: fields) { if $0.equalsIgnoringCase(name) { isNamed = true } }
        return isNamed
    }

    private static func contains(_ name: Span<UInt8>, in names: [UInt8]) -> Bool {
        let all = names.span
        var start = 0
        while let end = all.firstIndex(of: ASCII.lf, from: start) {
            if all.extracting(start..<end).equalsIgnoringCase(name) { return true }
            start = end + 1
        }
        return false
    }
}

// MARK: Values

extension VariantKey {
    /// Appends what `request` says in each of `names`.
    static func appendValues(
        of request: borrowing FieldList, names: [UInt8], to out: inout [UInt8]
    ) {
        let all = names.span
        var start = 0
        while let end = all.firstIndex(of: ASCII.lf, from: start) {
            appendValue(of: request, named: all.extracting(start..<end), to: &out)
            out.append(ASCII.lf)
            start = end + 1
        }
    }

    private static func appendValue(
        of request: borrowing FieldList, named name: Span<UInt8>, to out: inout [UInt8]
    ) {
        let known = FieldName(recognising: name)
        if known != .other && !request.contains(known) { return }
        var isFirst = true
        for i in request.indices {
            guard
                known == .other
                    ? request.name(at: i).equalsIgnoringCase(name) : request[i].name == known
            else { continue }
            out.append(isFirst ? UInt8(ascii: "=") : UInt8(ascii: ","))
            isFirst = false
            appendNormalised(request.value(at: i), to: &out)
        }
    }

    /// Appends `value` with one space for each run of white space, and none beside commas; what stands in
    /// quotes stays.
    static func appendNormalised(_ value: Span<UInt8>, to out: inout [UInt8]) {
        let text = value.trimmed
        var isQuoted = false
        var hasSpace = false
        var afterComma = true
        var i = 0
        while i < text.count {
            let byte = text[i]
            if isQuoted {
                out.append(byte)
                if byte == UInt8(ascii: "\\"), i + 1 < text.count {
                    i += 1
                    out.append(text[i])
                } else if byte == UInt8(ascii: "\"") {
                    isQuoted = false
                }
            } else if byte == ASCII.space || byte == ASCII.tab {
                hasSpace = true
            } else {
                if hasSpace && !afterComma && byte != UInt8(ascii: ",") { out.append(ASCII.space) }
                hasSpace = false
                afterComma = byte == UInt8(ascii: ",")
                isQuoted = byte == UInt8(ascii: "\"")
                out.append(byte)
            }
            i += 1
        }
    }
}
