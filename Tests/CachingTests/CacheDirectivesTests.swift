import Caching
import HTTPModel
import Primitives
import Testing

@Suite struct CacheDirectivesTests {
    static let cases = [
        Case("9111-5.2-token", response: [("Cache-Control", "max-age=60")], "max-age=60"),
        Case("9111-5.2-quoted", response: [("Cache-Control", "max-age=\"60\"")], "max-age=60"),
        Case(
            "9111-5.2-case", response: [("cache-control", "Max-Age=60, PUBLIC")],
            "public max-age=60"),
        Case(
            "9111-5.2-space", response: [("Cache-Control", " max-age = 60 ,\tno-store ")],
            "no-store max-age=60"),
        Case(
            "9111-5.2-lines",
            response: [("Cache-Control", "public"), ("X", "y"), ("Cache-Control", "s-maxage=5")],
            "public s-maxage=5"),
        Case("9111-5.2-empty-members", response: [("Cache-Control", ",, no-cache,,")], "no-cache"),
        Case(
            "9111-5.2-unknown", response: [("Cache-Control", "foo, bar=\"a, no-store\", private")],
            "private"),
        Case(
            "9111-5.2-escape", response: [("Cache-Control", "x=\"\\\", no-store\", public")],
            "public"),
        Case(
            "9111-5.2-open-quote", response: [("Cache-Control", "public, x=\"no-store, private")],
            "public"),
        Case("9111-5.2-prefix", response: [("Cache-Control", "no-storex, xpublic, privat")], ""),
        Case(
            "9111-5.2.2.4-qualified", response: [("Cache-Control", "no-cache=\"set-cookie\"")],
            "no-cache"),
        Case(
            "9111-4.2.1-duplicate-first", response: [("Cache-Control", "max-age=1, max-age=9")],
            "max-age=1"),
        Case("9111-4.2.1-negative", response: [("Cache-Control", "max-age=-1")], "max-age=0"),
        Case("9111-4.2.1-fraction", response: [("Cache-Control", "max-age=1.5")], "max-age=0"),
        Case("9111-4.2.1-garbage", response: [("Cache-Control", "max-age=60x")], "max-age=0"),
        Case("9111-4.2.1-no-value", response: [("Cache-Control", "max-age")], "max-age=0"),
        Case("9111-4.2.1-empty-value", response: [("Cache-Control", "max-age=")], "max-age=0"),
        Case(
            "9111-1.2.2-overflow", response: [("Cache-Control", "max-age=99999999999999999999999")],
            "max-age=2147483648"),
        Case(
            "9111-1.2.2-over-31-bits", response: [("Cache-Control", "max-age=2147483649")],
            "max-age=2147483648"),
        Case(
            "5861-both",
            response: [("Cache-Control", "stale-while-revalidate=3, stale-if-error=4")],
            "swr=3 sie=4"),
        Case("9111-5.2.1.2-any", response: [("Cache-Control", "max-stale")], "max-stale"),
        Case(
            "9111-5.2.1.2-limited", response: [("Cache-Control", "max-stale=7, min-fresh=2")],
            "max-stale=7 min-fresh=2"),
        Case("9111-5.4-pragma", response: [("Pragma", "x, no-cache")], "no-cache"),
        Case(
            "9111-5.4-pragma-silent",
            response: [("Pragma", "no-cache"), ("Cache-Control", "max-age=1")], "max-age=1"),
    ]

    @Test(arguments: cases) func `directives are read as the RFC says`(row: Case) {
        #expect(describe(CacheDirectives(ofRequest: fields(row.response))) == row.expected)
    }

    @Test func `Pragma says nothing in a response`() {
        #expect(CacheDirectives(of: fields([("Pragma", "no-cache")])) == CacheDirectives())
    }

    @Test func `random bytes never stop the process, and known directives after a comma count`() {
        var random = SeededRandom(seed: 3)
        let alphabet = Array("max-age=\"\\,private 0".utf8)
        for _ in 0..<5_000 {
            var line = (0..<random.below(30)).map { _ in alphabet[random.below(alphabet.count)] }
            let quotes = line.filter { $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "\\") }.count
            line.append(",no-store")
            let directives = CacheDirectives(of: fields([("Cache-Control", text(line))]))
            if quotes == 0 { #expect(directives.flags.contains(.noStore)) }
        }
    }

    private func describe(_ d: CacheDirectives) -> String {
        let names: [(CacheDirectives.Flags, String)] = [
            (.noCache, "no-cache"), (.noStore, "no-store"), (.isPrivate, "private"),
            (.isPublic, "public"), (.mustRevalidate, "must-revalidate"),
            (.maxStaleAny, "max-stale"),
        ]
        var words = names.filter { d.flags.contains($0.0) }.map(\.1)
        let numbers: [(String, UInt32?)] = [
            ("max-age", d.maxAge), ("s-maxage", d.sharedMaxAge), ("swr", d.staleWhileRevalidate),
            ("sie", d.staleIfError), ("max-stale", d.maxStale), ("min-fresh", d.minFresh),
        ]
        for (name, value) in numbers { if let value { words.append("\(name)=\(value)") } }
        return words.joined(separator: " ")
    }
}
