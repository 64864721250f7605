import HTTP1
import HTTPModel
import Primitives
import Testing

private func forwarded(_ lines: [(String, String)]) -> [String] {
    var fields = FieldList()
    for (name, value) in lines {
        fields.append(name: Array(name.utf8).span, value: Array(value.utf8).span)
    }
    let listsNames = HopByHop.listsNames(fields)
    let kept = fields.indices.filter { index in
        let name = fields[index].name
        if name != .other { return !HopByHop.known.contains(name) }
        return !(listsNames && HopByHop.isListed(fields.name(at: index), in: fields))
    }
    return kept.map { fields.name(at: $0).text }
}

@Test func `fields of the connection end here`() {
    let names = forwarded([
        ("Connection", "keep-alive"), ("Keep-Alive", "timeout=5"), ("Proxy-Connection", "x"),
        ("TE", "trailers"), ("transfer-encoding", "chunked"), ("Upgrade", "h2c"), ("Trailer", "X"),
        ("Accept", "*/*"), ("X-Own", "1"),
    ])
    #expect(names == ["Trailer", "Accept", "X-Own"])
}

@Test func `unknown names that Connection lists end here, in any case and on any line`() {
    let names = forwarded([
        ("X-One", "1"), ("x-two", "2"), ("X-Three", "3"), ("X-On", "4"),
        ("Connection", "close, x-one"),
        ("connection", " ,X-Two ,,"),
    ])
    #expect(names == ["X-Three", "X-On"])
}

@Test(arguments: FieldName.allCases)
func `Connection takes no known field away`(name: FieldName) {
    let always: Set<FieldName> = [
        .connection, .keepAlive, .proxyConnection, .te, .transferEncoding, .upgrade,
    ]
    guard name != .other else { return }
    let text = String(describing: name.text)
    let names = forwarded([(text, "v"), ("Connection", text), ("Connection", "close")])
    #expect(names == (always.contains(name) ? [] : [text]))
}

@Test func `without Connection every other field goes on`() {
    #expect(forwarded([("close", "1"), ("Host", "h"), ("X", "")]) == ["close", "Host", "X"])
    #expect(forwarded([("close", "1"), ("Connection", "close")]) == ["close"])
}

@Test func `a plain line beside a list of names takes nothing away`() {
    let lines = [("close", "1"), ("X-One", "2"), ("Connection", "close"), ("Connection", "X-One")]
    #expect(forwarded(lines) == ["close"])
}
