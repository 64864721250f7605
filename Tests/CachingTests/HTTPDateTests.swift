import HTTPModel
import Primitives
import Testing

@Suite struct HTTPDateTests {
    @Test(arguments: [
        ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777),
        ("Sunday, 06-Nov-94 08:49:37 GMT", 784_111_777),
        ("Sun Nov  6 08:49:37 1994", 784_111_777),
        ("sun, 06 nov 1994 08:49:37 gmt", 784_111_777),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
        ("Wed, 31 Dec 1969 23:59:59 GMT", -1),
        ("Thu, 29 Feb 2024 12:00:00 GMT", 1_709_208_000),
        ("Mon, 01 Jan 0001 00:00:00 GMT", -62_135_596_800),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 253_402_300_799),
        ("Sat, 31 Dec 2016 23:59:60 GMT", 1_483_228_799),
        ("Wednesday, 01-Jan-70 00:00:00 GMT", 3_155_760_000),
        ("Saturday, 01-Jan-77 00:00:00 GMT", 220_924_800),
        ("Friday, 01-Jan-27 00:00:00 GMT", 1_798_761_600),
    ])
    func `all three forms are read`(text: String, seconds: Int64) {
        #expect(HTTPDate.parse(Array(text.utf8).span, now: epoch) == seconds)
    }

    @Test(arguments: [
        "", "0", "-1", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 CET",
        "Sun, 06 Nov 1994 08:49:37 +0000", "Sun, 31 Feb 1994 08:49:37 GMT",
        "Thu, 29 Feb 2023 12:00:00 GMT", "Sun, 06 Nov 1994 24:00:00 GMT",
        "Sun, 06 Nov 1994 08:60:37 GMT", "Sun, 00 Nov 1994 08:49:37 GMT",
        "Xyz, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Abc 1994 08:49:37 GMT",
        "Sun, 6 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 GMT ",
        "Sundae, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 94 UTC",
        "1994-11-06T08:49:37Z abcdef",
    ])
    func `anything else is not a date`(text: String) {
        #expect(HTTPDate.parse(Array(text.utf8).span, now: epoch) == nil)
    }

    @Test func `what is written is read back, for random moments up to the year 9999`() {
        var random = SeededRandom(seed: 1)
        for _ in 0..<4_000 {
            let moment = UInt64(random.below(253_402_300_800))
            var out: [UInt8] = []
            HTTPDate.append(moment, to: &out)
            #expect(out.count == 29)
            #expect(HTTPDate.parse(out.span, now: epoch) == Int64(moment))
        }
    }

    @Test func `the weekday is right, and both writers agree`() {
        var out: [UInt8] = []
        HTTPDate.append(784_111_777, to: &out)
        #expect(text(out) == "Sun, 06 Nov 1994 08:49:37 GMT")
        #expect(written { HTTPDate.append(784_111_777, to: $0) } == text(out))
        #expect(written { HTTPDate.append(.max, to: $0) } == "Fri, 31 Dec 9999 23:59:59 GMT")
    }

    @Test func `random bytes never stop the process`() {
        var random = SeededRandom(seed: 2)
        let alphabet = Array("SunMoNov0619:,- GMT\u{ff}".utf8)
        for _ in 0..<20_000 {
            let text = (0..<random.below(40)).map { _ in alphabet[random.below(alphabet.count)] }
            guard let moment = HTTPDate.parse(text.span, now: epoch), moment >= 0 else { continue }
            // What was taken for a date is one: written again it is the same.
            var out: [UInt8] = []
            HTTPDate.append(UInt64(moment), to: &out)
            let again = HTTPDate.parse(out.span, now: epoch)
            #expect(again == moment)
        }
    }
}
