import TestKit
import Testing

/// The real proxy under random requests, failures and faults, one world for each seed.
@Suite struct SeedTests {
    private static let parts = 10
    private static let seeds = Seeds.upTo(1000)

    @Test(arguments: 0..<parts)
    func `nobody gets a wrong answer, nothing is done twice, nothing is left behind`(
        part: Int
    ) throws {
        for seed in SeedTests.seeds where Int(seed % UInt64(SeedTests.parts)) == part {
            let scenario = try Scenario(seed: seed)
            let found = try scenario.run()
            #expect(found == [])
            if SeedTests.seeds.count == 1 {
                let story = scenario.ledger.story + ["…"] + scenario.world.world.history
                print(story.joined(separator: "\n"))
                print("trace hash \(scenario.world.world.traceHash)")
            }
        }
    }

    @Test func `the same seed is the same run, and another seed is another`() throws {
        var hashes: Set<UInt64> = []
        for seed: UInt64 in 1...12 {
            let first = try Scenario(seed: seed)
            _ = try first.run()
            let second = try Scenario(seed: seed)
            _ = try second.run()
            #expect(first.world.world.traceHash == second.world.world.traceHash, "seed \(seed)")
            hashes.insert(first.world.world.traceHash)
        }
        #expect(hashes.count == 12)
    }
}
