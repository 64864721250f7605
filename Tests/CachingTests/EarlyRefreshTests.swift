import Caching
import Glibc
import Primitives
import Testing

@Suite struct EarlyRefreshTests {
    /// An answer with a lifetime of `ttl` seconds that the origin needed `delta` seconds for.
    private func entry(ttl: Int, delta: Double) -> StoredResponse {
        stored(
            request(), [("Cache-Control", "max-age=\(ttl)")],
            times: FetchTimes(requested: start, received: clock(delta)))
    }

    /// Reads at `rate` per second; returns how many begin a recomputation before the
    /// first one ends, and the first one's lead, in seconds.
    private func starts(beta: Double, rate: Double, seed: UInt64) -> (count: Int, lead: Double) {
        var random = SeededRandom(seed: seed)
        let entry = entry(ttl: 100, delta: 1)
        let policy = CachePolicy.EarlyRefresh.xfetch(beta: beta)
        // Chances before this are below e⁻¹⁰.
        var now = max(50, 100 - beta * (lead(rate: rate, beta: beta) + 10))
        var count = 0
        var first = Double.infinity
        while now < 100 && now < first + 1 {
            if entry.shouldRefreshEarly(at: at(now), early: policy, random: &random) {
                count += 1
                first = min(first, now)
            }
            now += 1 / rate
        }
        return (count, 100 - first)
    }

    /// The mean lead in units of delta·beta, by the paper.
    private func lead(rate: Double, beta: Double) -> Double { log(rate * beta) + 0.577 }

    @Test(arguments: [(1.0, 2.718), (0.5, 7.389), (2.0, 1.649)])
    func `A7: about e to the 1/beta readers begin a refresh, whatever the rate`(
        beta: Double, expected: Double
    ) {
        for rate in [100.0, 400.0] {
            var sum = 0
            let rounds = 600
            for seed in 0..<rounds {
                sum += starts(beta: beta, rate: rate, seed: UInt64(seed)).count
            }
            let mean = Double(sum) / Double(rounds)
            #expect(abs(mean / expected - 1) < 0.1, "rate \(rate): \(mean)")
        }
    }

    @Test func `A7: the mean lead is delta·beta·(ln(rate·delta·beta) + 0.577)`() {
        let rounds = 500
        var sum = 0.0
        for seed in 0..<rounds { sum += starts(beta: 1, rate: 200, seed: UInt64(seed)).lead }
        #expect(abs(sum / Double(rounds) - lead(rate: 200, beta: 1)) < 0.2)
    }

    @Test func `the lead is bounded: nothing is refreshed in the first half of its lifetime`() {
        var random = SeededRandom(seed: 7)
        // An origin that needs ten times the lifetime would be asked on every hit.
        let slow = entry(ttl: 60, delta: 50)
        for beta in [1.0, 100.0] {
            let policy = CachePolicy.EarlyRefresh.xfetch(beta: beta)
            for step in 0..<200 {
                let now = 50 + Double(step) * 0.15 / 10
                guard case .fresh(let ttl) = slow.freshness(at: at(now)), ttl.count > 5_000_000_000
                else { continue }
                #expect(!slow.shouldRefreshEarly(at: at(now), early: policy, random: &random))
            }
            #expect(slow.shouldRefreshEarly(at: at(59.9), early: policy, random: &random))
        }
    }

    @Test func `a stale answer is not refreshed early, and off is off`() {
        var random = SeededRandom(seed: 8)
        let entry = entry(ttl: 10, delta: 1)
        #expect(!entry.shouldRefreshEarly(at: at(10), early: .xfetch(beta: 9), random: &random))
        for step in 0..<100 {
            let now = at(Double(step) / 10)
            #expect(!entry.shouldRefreshEarly(at: now, early: .off, random: &random))
        }
    }

    @Test func `the simple form draws with its chance in the last part alone`() {
        var random = SeededRandom(seed: 9)
        let entry = entry(ttl: 100, delta: 0)
        let policy = CachePolicy.EarlyRefresh.chance(last: 0.2, chance: 0.1)
        var count = 0
        for _ in 0..<10_000 {
            #expect(!entry.shouldRefreshEarly(at: at(79.9), early: policy, random: &random))
            if entry.shouldRefreshEarly(at: at(85), early: policy, random: &random) { count += 1 }
        }
        #expect((850...1150).contains(count))
    }
}
