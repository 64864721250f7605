import Caching
import HTTPModel
import Primitives
import Testing

/// Looking without touching, as limits do before they decide.
@Suite struct PeekTests {
    private func word(_ peek: CachePeek) -> String {
        switch peek {
        case .stored(_, nil): "hit"
        case .stored(_, let reason?): "\(reason.name)"
        case .fetch(let reason): "\(reason.name)"
        case .around(let reason): "\(reason.name)"
        case .onlyIfCached: "only-if-cached"
        }
    }

    private func word(_ found: CacheLookup?) -> String {
        switch found {
        case .hit: "hit"
        case .stale(_, let reason): "\(reason.name)"
        case .refresh: "refresh"
        case nil: "nothing"
        default: "fetch"
        }
    }

    private func peek(_ bench: Bench, _ request: RequestHead, at seconds: Double) -> String {
        let key = key(request, bench.policy)
        return word(
            bench.store.peek(
                key: key.span, request: request, rules: CacheRules(bench.policy), now: at(seconds)))
    }

    private func stored(_ bench: inout Bench, _ request: RequestHead, at seconds: Double) -> String
    {
        let key = key(request, bench.policy)
        return word(
            bench.store.lookupStored(
                key: key.span, request: request, rules: CacheRules(bench.policy), now: at(seconds),
                random: &bench.random))
    }

    @Test func `a look begins, joins and counts nothing`() throws {
        var bench = Bench()
        let ask = request("/a")
        #expect(peek(bench, ask, at: 0) == "uri-miss")
        #expect(stored(&bench, ask, at: 0) == "nothing")
        #expect(bench.store.statistics().fills == 0)
        try bench.fetch(
            ask, [("Cache-Control", "max-age=10, stale-while-revalidate=10"), ("ETag", "\"v\"")])
        let before = bench.store.statistics()
        for (seconds, expected) in [(5.0, "hit"), (15, "swr"), (25, "stale")] {
            for _ in 0..<3 { #expect(peek(bench, ask, at: seconds) == expected) }
        }
        let after = bench.store.statistics()
        #expect(after.fills == 0)
        #expect(after.hits == before.hits)
        #expect(after.misses == before.misses)
    }

    @Test func `what is stored is served and refreshed, and never fetched for want of it`() throws {
        var bench = Bench()
        let ask = request("/a")
        try bench.fetch(ask, [("Cache-Control", "max-age=10, stale-while-revalidate=10")])
        #expect(stored(&bench, ask, at: 5) == "hit")
        #expect(stored(&bench, ask, at: 15) == "refresh")
        // It is being fetched already.
        #expect(stored(&bench, ask, at: 15) == "swr")
        #expect(bench.store.statistics().fills == 1)
        #expect(stored(&bench, ask, at: 25) == "nothing")
        #expect(stored(&bench, request("/b"), at: 5) == "nothing")
        #expect(bench.store.statistics().fills == 1)
    }

    @Test func `a look finds what a lookup then serves, for random answers and moments`() throws {
        var random = SeededRandom(seed: 3)
        for _ in 0..<300 {
            var bench = Bench()
            let ask = request("/a", method: random.below(5) == 0 ? .head : .get)
            if random.below(5) > 0 {
                let (age, swr) = (random.below(20), random.below(20))
                try bench.fetch(
                    request("/a"),
                    [("Cache-Control", "max-age=\(age), stale-while-revalidate=\(swr)")])
            }
            let seconds = Double(random.below(40))
            let seen = peek(bench, ask, at: seconds)
            let found = bench.look(ask, at: seconds)
            switch found {
            case .hit: #expect(seen == "hit")
            case .stale, .refresh: #expect(seen == "swr")
            case .lead(let lead):
                #expect(seen == "\(lead.reason.name)")
                lead.fill.fail(.abandoned, at: at(seconds))
            case .bypass(let reason): #expect(seen == "\(reason.name)")
            case .follow, .onlyIfCached: Issue.record("\(found)")
            }
        }
    }
}
