import Limits
import Primitives
import Settings
import Testing

@testable import Config

@Test(
    arguments: [
        ("250ms", 250), ("30s", 30_000), ("5m", 300_000), ("1h30m", 5_400_000), ("24h", 86_400_000),
        ("0", 0), ("0s", 0), ("1d12h", 129_600_000), ("90m", 5_400_000), ("1s500ms", 1500),
        ("7d", 604_800_000),
    ] as [(String, UInt64)])
func `durations are read in every form`(text: String, milliseconds: UInt64) {
    #expect(DurationText.parse(text) == .milliseconds(milliseconds))
}

@Test(arguments: [
    "", "5", "s", "5x", "5 s", "-5s", "1.5s", "30m1h", "1m1m", "5S", "1h 30m", "5us",
    "99999999999999999999s", "999999999999d", "５s",
])
func `what is no duration is refused`(text: String) {
    #expect(DurationText.parse(text) == nil)
}

@Test(
    arguments: [
        (0, "0s"), (1, "1ms"), (1000, "1s"), (90_000, "1m30s"), (86_400_000, "24h"),
        (129_600_000, "36h"), (172_800_000, "2d"), (3_600_001, "1h1ms"),
    ] as [(UInt64, String)])
func `durations are written short`(milliseconds: UInt64, text: String) {
    #expect(DurationText.write(.milliseconds(milliseconds)) == text)
}

@Test(
    arguments: [
        ("64KiB", 65_536), ("256MiB", 268_435_456), ("1GiB", 1 << 30), ("2TiB", 2 << 40),
        ("12", 12),
        ("512B", 512), ("0", 0),
    ] as [(String, UInt64)])
func `sizes are read in every form`(text: String, bytes: UInt64) {
    #expect(SizeText.parse(text) == bytes)
}

@Test(arguments: ["", "KiB", "1KB", "1kib", "1 KiB", "1.5MiB", "-1", "99999999999TiB", "1K"])
func `what is no size is refused`(text: String) {
    #expect(SizeText.parse(text) == nil)
}

@Test(
    arguments: [
        ("30/minute", 30, 60_000), ("10/hour", 10, 3_600_000), ("5/10s", 5, 10_000),
        ("100/second", 100, 1000), ("1/day", 1, 86_400_000), ("7/s", 7, 1000), ("7/m", 7, 60_000),
        ("7/h", 7, 3_600_000), ("7/d", 7, 86_400_000), ("2/1h30m", 2, 5_400_000),
        ("3 / minute", 3, 60_000),
        ("1000000000/1ms", 1_000_000_000, 1),
    ] as [(String, UInt32, UInt64)])
func `rates are read in every form`(text: String, count: UInt32, milliseconds: UInt64) {
    let rate = LimitDefinition.Rate(count: count, period: .milliseconds(milliseconds))
    #expect(RateText.parse(text) == .rate(rate))
}

@Test(arguments: [
    "", "30", "/minute", "30/", "30/minutes", "0/minute", "1000000001/s", "1/0s", "1/400d", "-1/s",
    "1/s/s", "1.5/s", "Unlimited", "one/minute",
])
func `what is no rate is refused`(text: String) {
    #expect(RateText.parse(text) == nil)
}

@Test func `rates, durations and sizes come back from their texts`() {
    var random = SeededRandom(seed: 3)
    for _ in 0..<2000 {
        let duration = Nanoseconds.milliseconds(random.next() >> UInt64(20 + random.below(44)))
        #expect(DurationText.parse(DurationText.write(duration)) == duration)
        let size = random.next() >> UInt64(random.below(64))
        #expect(SizeText.parse(SizeText.write(size)) == size)
        let thousandths = random.below(1_000_000)
        #expect(DecimalText.parse(DecimalText.write(thousandths)) == thousandths)
        let rate = LimitDefinition.Rate(
            count: UInt32(1 + random.below(1_000_000_000)),
            period: .milliseconds(UInt64(1 + random.below(1_000_000_000))))
        #expect(RateText.parse(RateText.write(rate)) == .rate(rate))
    }
    #expect(RateText.parse(RateText.write(nil)) == .unlimited)
}

@Test(arguments: [("1", 1000), ("0", 0), ("0.5", 500), ("12.25", 12_250), ("1.001", 1001)])
func `decimals are exact to three digits`(text: String, thousandths: Int) {
    #expect(DecimalText.parse(text) == thousandths)
}

@Test(arguments: ["", ".", "1.", ".5", "1.0001", "1e3", "-1", "1.2.3", "01"])
func `what is no decimal is refused`(text: String) {
    #expect(DecimalText.parse(text) == nil)
}

@Test func `the nearest word is found within a third of its letters`() {
    #expect(Spelling.nearest(to: "adress", in: ["address", "tls"]) == "address")
    #expect(Spelling.nearest(to: "lsiten", in: ["limits", "listen"]) == "listen")
    #expect(Spelling.nearest(to: "per_user", in: ["per", "rate"]) == nil)
    #expect(Spelling.nearest(to: "x", in: []) == nil)
    #expect(Spelling.distance(Array("kitten"), Array("sitting")) == 3)
    #expect(Spelling.distance(Array("ab"), Array("ba")) == 1)
    #expect(Spelling.distance([], Array("abc")) == 3)
}
