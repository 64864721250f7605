import Caching
import HTTPModel
import Primitives
import Testing

extension Bench {
    func purge(
        _ kind: PurgeRecord.Kind, _ value: String = "", soft: Bool = false, at seconds: Double
    ) {
        store.purge(
            PurgeRecord(
                id: 1, kind: kind, value: bytes(value), isSoft: soft, time: clock(seconds).wall),
            at: at(seconds))
    }

    /// Sweeps until nothing is left to look at; whether all records are gone.
    func sweep() -> Bool {
        guard var sweep = store.beginSweep() else { return false }
        while true {
            switch sweep.step() {
            case .more: continue
            case .waiting: return false
            case .done: return true
            }
        }
    }
}

@Suite struct PurgeTests {
    private let tagged = [("Cache-Control", "max-age=100"), ("Surrogate-Key", "one two")]

    @Test(arguments: [
        (PurgeRecord.Kind.tag, "two", true), (.tag, "Two", false), (.tag, "tw", false),
        (.prefix, "/a", true), (.prefix, "/b", false), (.glob, "example.com/*", true),
        (.glob, "/*/*", false), (.key, "{GET}:example.com:/a?x=1", true),
        (.key, "{GET}:example.com:/a", false), (.all, "", true), (.user, "42", false),
        (.group, "example.com two", false),
    ])
    func `a purge means what it names, and nothing else`(
        kind: PurgeRecord.Kind, value: String, isMeant: Bool
    ) throws {
        var bench = Bench()
        try bench.fetch(request("/a?x=1"), tagged)
        bench.purge(kind, value, at: 5)
        #expect(name(bench.look(request("/a?x=1"), at: 6)) == (isMeant ? "lead uriMiss" : "hit"))
        #expect(bench.store.statistics().purged == (isMeant ? 1 : 0))
    }

    @Test func `a purge by user takes all of that user's answers and no other's`() throws {
        var bench = Bench()
        bench.policy.varyBy = [.user]
        for user in ["42", "4|2", "421"] {
            try bench.fetch(request("/a"), tagged, user: user)
            try bench.fetch(request("/b"), tagged, user: user)
        }
        bench.purge(.user, "42", at: 1)
        for path in ["/a", "/b"] {
            #expect(name(bench.look(request(path), at: 2, user: "42")) == "lead uriMiss")
            #expect(name(bench.look(request(path), at: 2, user: "421")) == "hit")
            #expect(name(bench.look(request(path), at: 2, user: "4|2")) == "hit")
        }
        bench.purge(.user, "4|2", at: 3)
        #expect(name(bench.look(request("/a"), at: 4, user: "4|2")) == "lead uriMiss")
        // By key: all identities.
        bench.purge(.key, "{GET}:example.com:/a", at: 5)
        #expect(name(bench.look(request("/a"), at: 6, user: "421")) == "lead uriMiss")
        #expect(name(bench.look(request("/b"), at: 6, user: "421")) == "hit")
    }

    @Test func `9875-4: a group is of one origin`() throws {
        var bench = Bench()
        let grouped = [("Cache-Control", "max-age=100"), ("Cache-Groups", "\"g\"")]
        try bench.fetch(request("/a"), grouped)
        try bench.fetch(request("/a", host: "other.com"), grouped)
        try bench.fetch(
            request("/b"), [("Cache-Control", "max-age=100"), ("Surrogate-Key", "g")])
        bench.purge(.group, "example.com g", at: 1)
        #expect(name(bench.look(request("/a"), at: 2)) == "lead uriMiss")
        #expect(name(bench.look(request("/a", host: "other.com"), at: 2)) == "hit")
        #expect(name(bench.look(request("/b"), at: 2)) == "hit")
        bench.purge(.tag, "g", at: 3)
        #expect(name(bench.look(request("/a", host: "other.com"), at: 4)) == "lead uriMiss")
        #expect(name(bench.look(request("/b"), at: 4)) == "lead uriMiss")
    }

    @Test func `a soft purge makes stale: served while it is refreshed, or validated`() throws {
        var bench = Bench()
        try bench.fetch(
            request("/a"),
            [
                ("Cache-Control", "max-age=100, stale-while-revalidate=10"), ("xkey", "t"),
            ])
        try bench.fetch(request("/b"), tagged + [("xkey", "t"), ("ETag", "\"b\"")])
        bench.purge(.tag, "t", soft: true, at: 20)
        guard case .refresh(let old, let fill) = bench.look(request("/a"), at: 25) else {
            throw Unexpected.lookup
        }
        #expect(old.freshness(at: at(25)).seconds == -5)
        // The one that runs is enough.
        #expect(name(bench.look(request("/a"), at: 26)) == "stale whileRevalidating")
        #expect(name(bench.look(request("/b"), at: 25)) == "lead stale validating")
        bench.answer(fill, request("/a"), tagged, body: "new", at: 26)
        #expect(name(bench.look(request("/a"), at: 27)) == "hit")
        // Ten seconds after the purge the window is over.
        try bench.fetch(
            request("/c"),
            [
                ("Cache-Control", "max-age=100, stale-while-revalidate=10"), ("xkey", "t"),
            ], at: 30)
        bench.purge(.tag, "t", soft: true, at: 40)
        #expect(name(bench.look(request("/c"), at: 51)) == "lead stale validating")
        #expect(bench.store.statistics().softened == 3)
    }

    @Test func `what is being fetched when a purge comes is not stored, and nobody joins it`()
        throws
    {
        var bench = Bench()
        let old = try bench.lead(request("/a"), at: 1)
        bench.purge(.tag, "one", at: 2)
        // Its tags are not known yet.
        let new = try bench.lead(request("/a"), at: 3)
        bench.answer(old.fill, request("/a"), tagged, body: "old", at: 1)
        #expect(name(bench.look(request("/a"), at: 4)) == "follow")
        bench.answer(new.fill, request("/a"), tagged, body: "new", at: 3)
        guard case .hit(let stored) = bench.look(request("/a"), at: 5) else {
            throw Unexpected.lookup
        }
        #expect(body(stored) == "new")
    }

    @Test func `a fetch with other tags is joined and stored all the same`() throws {
        var bench = Bench()
        let lead = try bench.lead(request("/a"), at: 1)
        let head = cachedHead(request("/a"), response(200, tagged), times: times(1))
        lead.fill.publish(head)
        bench.purge(.tag, "three", at: 2)
        bench.purge(.prefix, "/b", at: 2)
        #expect(name(bench.look(request("/a"), at: 3)) == "follow")
        lead.fill.finish(at: at(4))
        #expect(name(bench.look(request("/a"), at: 5)) == "hit")
    }

    @Test func `what a soft purge meets on its way is stored as stale`() throws {
        var bench = Bench()
        let lead = try bench.lead(request("/a"), at: 1)
        bench.purge(.glob, "/*", soft: true, at: 2)
        bench.answer(lead.fill, request("/a"), tagged + [("ETag", "\"a\"")], at: 1)
        #expect(name(bench.look(request("/a"), at: 3)) == "lead stale validating")
    }

    @Test func `a sweep frees what is dead and forgets the record, but not before older fetches`()
        throws
    {
        var bench = Bench()
        for i in 0..<1000 { try bench.fetch(request("/\(i)"), i % 2 == 0 ? tagged : []) }
        let entries = bench.store.statistics().entries
        let lead = try bench.lead(request("/new"), at: 1)
        bench.purge(.tag, "one", at: 2)
        #expect(bench.store.statistics().purgeRecords == 1)
        #expect(bench.store.statistics().entries == entries)
        guard var sweep = bench.store.beginSweep() else { throw Unexpected.lookup }
        #expect(bench.store.beginSweep() == nil)
        while sweep.step() == .more {}
        #expect(bench.store.statistics().entries == entries - 500)
        #expect(bench.store.statistics().purgeRecords == 1)
        #expect(sweep.step() == .waiting)
        bench.answer(lead.fill, request("/new"), tagged, at: 1)
        while sweep.step() == .more {}
        #expect(bench.store.statistics().purgeRecords == 0)
        #expect(bench.store.statistics().entries == entries - 500)
        #expect(bench.store.beginSweep() != nil)
    }

    @Test func `a full list of records is applied at once, and no record is forgotten`() throws {
        var bench = Bench(bytes: 64 << 20)
        for i in 0..<50 {
            try bench.fetch(
                request("/\(i)"), [("Cache-Control", "max-age=99"), ("Surrogate-Key", "t\(i)")])
        }
        // One that keeps the records as long as it can.
        let lead = try bench.lead(request("/slow"), at: 0)
        bench.purge(.tag, "slow", at: 1)
        for i in 0..<10_000 { bench.purge(.tag, "t\(i % 40)", at: 1) }
        #expect(bench.store.statistics().purgeRecords <= 4096)
        for i in 0..<50 {
            #expect(name(bench.look(request("/\(i)"), at: 2)) == (i < 40 ? "lead uriMiss" : "hit"))
        }
        bench.answer(
            lead.fill, request("/slow"), [("Cache-Control", "max-age=99"), ("xkey", "slow")])
        #expect(name(bench.look(request("/slow"), at: 3)) == "lead uriMiss")
    }

    @Test func `lifetimes are multiplied for what is stored, and one again when it ends`() throws {
        var bench = Bench()
        try bench.fetch(request("/a"), [("Cache-Control", "max-age=60"), ("Age", "20")])
        bench.store.multiplyLifetimes(by: 2500)
        // 40 s were left, now it is 100.
        #expect(name(bench.look(request("/a"), at: 99)) == "hit")
        try bench.fetch(request("/b"), [("Cache-Control", "max-age=10")], at: 50)
        #expect(name(bench.look(request("/b"), at: 74)) == "hit")
        #expect(name(bench.look(request("/a"), at: 101)) == "lead stale validating")
        bench.store.multiplyLifetimes(by: 1000)
        #expect(name(bench.look(request("/b"), at: 59)) == "hit")
        #expect(name(bench.look(request("/b"), at: 61)) == "lead stale validating")
        bench.store.multiplyLifetimes(by: 500)
        #expect(name(bench.look(request("/b"), at: 54)) == "hit")
        #expect(name(bench.look(request("/b"), at: 56)) == "follow")
    }

    @Test(arguments: PurgeRecord.Kind.allCases)
    func `a record is read back from its line`(kind: PurgeRecord.Kind) throws {
        let values: [PurgeRecord.Kind: String] = [
            .key: "{GET}:a:/b c?d|upstream=e", .tag: "a  b ", .group: "a b c", .prefix: "/a",
            .glob: "a/**", .user: "é", .company: "x",
        ]
        let record = PurgeRecord(
            id: 0xA7, kind: kind, value: bytes(values[kind] ?? ""), isSoft: kind == .tag,
            time: WallTime(nanoseconds: 5))
        #expect(record.problem == nil)
        let line = record.line
        #expect(PurgeRecord(line: line.span) == record)
        if kind == .tag { #expect(line == bytes("00000000000000a7 5 soft tag a  b ")) }
        for broken in [[], bytes("x ") + line, Array(line.dropFirst()), line + bytes("\n")] {
            #expect(PurgeRecord(line: broken.span) == nil, "\(broken)")
        }
    }

    @Test func `a value that is no text comes through unchanged`() {
        let record = PurgeRecord(
            id: .max, kind: .tag, value: [0xFF, 0x20, 0xC3], isSoft: false,
            time: WallTime(nanoseconds: .max))
        let line = record.line
        #expect(PurgeRecord(line: line.span) == record)
    }
}
