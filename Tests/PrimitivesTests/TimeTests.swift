import Primitives
import Testing

struct TimeTests {
    @Test func `sums and products stop at forever, differences at zero`() {
        #expect(Nanoseconds(5) + Nanoseconds(7) == Nanoseconds(12))
        #expect(Nanoseconds(.max) + Nanoseconds(1) == .forever)
        #expect(Nanoseconds(.max - 1) + Nanoseconds(1) == .forever)
        #expect(Nanoseconds(5) - Nanoseconds(7) == .zero)
        #expect(Nanoseconds(7) - Nanoseconds(5) == Nanoseconds(2))
        #expect(Nanoseconds.seconds(18_446_744_073) != .forever)
        #expect(Nanoseconds.seconds(18_446_744_074) == .forever)
        #expect(Nanoseconds.milliseconds(3) == Nanoseconds(3_000_000))
        #expect(Nanoseconds.milliseconds(.max) == .forever)
        #expect(Nanoseconds(1) < .seconds(1))
    }

    @Test(
        arguments: [
            (0, 0, 0, 0), (1, 0, 1, 0), (999_999_999, 0, 1, 999), (1_000_000_000, 1, 1, 1000),
            (1_000_000_001, 1, 2, 1000), (.max, 18_446_744_073, 18_446_744_074, 18_446_744_073_709),
        ] as [(UInt64, UInt64, UInt64, UInt64)])
    func `whole seconds round down, seconds to wait round up`(
        count: UInt64, down: UInt64, up: UInt64, milliseconds: UInt64
    ) {
        #expect(Nanoseconds(count).wholeSeconds == down)
        #expect(Nanoseconds(count).secondsRoundedUp == up)
        #expect(Nanoseconds(count).wholeMilliseconds == milliseconds)
    }

    @Test func `a moment plus forever never comes, and no time lies before an earlier moment`() {
        let now = MonotonicTime(nanoseconds: 1_000)
        #expect(now + Nanoseconds(5) == MonotonicTime(nanoseconds: 1_005))
        #expect(now + .forever == .never)
        #expect(now < .never)
        #expect((now + Nanoseconds(5)) - now == Nanoseconds(5))
        #expect(now - (now + Nanoseconds(5)) == .zero)

        let date = WallTime(nanoseconds: 1_999_999_999)
        #expect(date.epochSeconds == 1)
        #expect((date + Nanoseconds(1)).epochSeconds == 2)
        #expect(date + .forever == WallTime(nanoseconds: .max))
        #expect((date + .seconds(3)) - date == .seconds(3))
        #expect(date - (date + .seconds(3)) == .zero)
        #expect(date < date + Nanoseconds(1))
    }
}
