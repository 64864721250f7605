import Caching
import HTTPModel
import Primitives
import Testing

/// Who leaves first when room is needed: what is of no use any more, and last what could stand in for the origin.
@Suite struct EvictionTests {
    /// A store of 1 MiB has room for about a hundred of them.
    private let large = String(repeating: "x", count: 10_000)

    private func put(
        _ bench: borrowing Bench, _ path: String, _ control: String, at seconds: Double
    ) {
        bench.store.insert(
            stored(
                request(path), [("Cache-Control", control)], body: large, times: times(seconds)))
    }

    private func count(_ bench: borrowing Bench, _ prefix: String, _ numbers: Range<Int>) -> Int {
        numbers.count { find(bench.store, request("\(prefix)\($0)")) != nil }
    }

    @Test func `answers that have expired for every use leave before unused fresh ones`() {
        let bench = Bench()
        for number in 0..<40 { put(bench, "/old/\(number)", "max-age=10", at: 0) }
        // However often they were used.
        for _ in 0..<3 { #expect(count(bench, "/old/", 0..<40) == 40) }
        for number in 0..<85 { put(bench, "/new/\(number)", "max-age=1000", at: 100) }
        #expect(count(bench, "/new/", 0..<85) == 85)
        #expect(count(bench, "/old/", 0..<40) < 40)
    }

    @Test func `an expired answer with a validator is of use: it can be confirmed`() {
        let bench = Bench()
        let entry = stored(
            request(), [("Cache-Control", "max-age=10"), ("ETag", "\"a\"")], body: large)
        bench.store.insert(entry)
        #expect(find(bench.store, request()) != nil)
        for number in 0..<150 { put(bench, "/new/\(number)", "max-age=1000", at: 100) }
        #expect(find(bench.store, request()) != nil)
    }

    @Test func `what may be served in place of an error stays a turn longer`() {
        let bench = Bench()
        for number in 0..<46 {
            put(bench, "/insurance/\(number)", "max-age=10, stale-if-error=1000", at: 0)
            put(bench, "/fresh/\(number)", "max-age=1000", at: 0)
        }
        #expect(count(bench, "/insurance/", 0..<46) == 46)
        #expect(count(bench, "/fresh/", 0..<46) == 46)
        // Used at once, so that they push the others through the main queue.
        for number in 0..<30 {
            put(bench, "/new/\(number)", "max-age=1000", at: 100)
            #expect(count(bench, "/new/", number..<number + 1) == 1)
        }
        let counts = bench.store.statistics()
        #expect(counts.evictions > 10)
        // Looking counts as a use, so once, at the end.
        #expect(count(bench, "/insurance/", 0..<46) == 46)
        #expect(count(bench, "/fresh/", 0..<46) == 46 - Int(counts.evictions))
    }
}
