import Caching
import Primitives

/// What a hit costs by how much is stored, and what memory the store takes when far more comes than has room.
func measurePopulation(_ rounds: Rounds) {
    // First: what the hits leave behind in the allocator would hide what is added.
    if rounds.wants("population") { measureMemory() }
    measureHits(rounds)
}

/// Hits of answers of 1 KB in random order, among a thousand, 10,000 and a million stored ones.
private func measureHits(_ rounds: Rounds) {
    let asked = 500_000
    for (name, count) in [("1,000", 1000), ("10,000", 10_000), ("1,000,000", 1_000_000)] {
        let work = "hit among \(name) answers"
        guard rounds.wants(work) else { continue }
        var shelf = Shelf(bytes: 4 << 30)
        for number in 0..<UInt64(count) { shelf.put(number, size: 1024) }
        guard shelf.store.statistics().entries == count else { Report.fail("not all are stored") }
        var random = SeededRandom(seed: 3)
        let spread = min(count, 100_000)
        let requests = (0..<spread).map { _ in
            shelf.prepared(UInt64(random.below(count)))
        }
        rounds.say(work, pieces: asked) { shelf.hit(requests, asked) }
    }
}

/// Ten million distinct targets, one after the other, through a store of 256 MiB.
private func measureMemory() {
    let budget = 256 << 20
    let before = Gauges.resident().now
    var shelf = Shelf(bytes: budget)
    var random = SeededRandom(seed: 7)
    var highest = 0
    let targets: UInt64 = 10_000_000
    let started = Gauges.threadTime()
    for number in 0..<targets {
        shelf.put(number, size: 100 << random.below(6))
        if number % 100_000 == 0 { highest = max(highest, Gauges.resident().now) }
    }
    let mebibyte = 1_048_576.0
    let each = Double(Gauges.threadTime() - started) / Double(targets)
    highest = max(highest, Gauges.resident().now)
    Report.say("population: one of 10 million put in", each, unit: "ns")
    Report.say(
        "population: counted bytes", Double(shelf.store.statistics().bytes) / mebibyte,
        unit: "MiB", bound: Double(budget) / mebibyte)
    Report.say(
        "population: resident memory added", Double(highest - before) / mebibyte, unit: "MiB",
        bound: Double(budget) / mebibyte * 1.15)
}
