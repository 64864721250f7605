import Caching
import Primitives
import Testing

/// `0-4 21-25` for slices, or the word for what is not one.
private func selected(_ value: String, of length: Int) -> String {
    let bytes = bytes(value)
    switch RangeSelection(bytes.span, of: length) {
    case .ignored: return "ignored"
    case .unsatisfiable: return "unsatisfiable"
    case .slices(let slices):
        return slices.indices.map { "\(slices[$0].start)-\(slices[$0].end - 1)" }
            .joined(separator: " ")
    }
}

@Suite struct RangeSelectionTests {
    @Test(arguments: [
        ("bytes=0-499", "0-499"), ("bytes=500-999", "500-999"), ("bytes=0-0", "0-0"),
        ("bytes=999-999", "999-999"), ("bytes=500-", "500-999"), ("bytes=0-", "0-999"),
        ("bytes=-500", "500-999"), ("bytes=-1", "999-999"), ("bytes=-1000", "0-999"),
        ("bytes=-5000", "0-999"), ("bytes=990-5000", "990-999"),
        ("BYTES=0-1", "0-1"), ("Bytes=0-1", "0-1"),
        // Beyond 64 bits it is still a number.
        ("bytes=0-99999999999999999999999", "0-999"), ("bytes=-99999999999999999999", "0-999"),
        ("bytes=99999999999999999999-", "unsatisfiable"),
        ("bytes=99999999999999999999-99999999999999999999", "unsatisfiable"),
        ("bytes=9223372036854775807-", "unsatisfiable"),
        ("bytes=0-9223372036854775807", "0-999"),
        ("bytes=1000-", "unsatisfiable"), ("bytes=1000-2000", "unsatisfiable"),
        ("bytes=-0", "unsatisfiable"), ("bytes=2000-, -0", "unsatisfiable"),
        ("bytes=00-007", "0-7"),
        // Not understood: as if it were not there.
        ("", "ignored"), ("bytes", "ignored"), ("bytes=", "ignored"), ("bytes=-", "ignored"),
        ("bytes=,", "ignored"), ("bytes= , ,", "ignored"), ("bytes=0", "ignored"),
        ("bytes=5-4", "ignored"), ("bytes=a-b", "ignored"), ("bytes=0-b", "ignored"),
        ("bytes=0x0-1", "ignored"), ("bytes=+0-1", "ignored"), ("bytes=0-1-2", "ignored"),
        ("bytes=--1", "ignored"), ("bytes=-1-", "ignored"), ("bytes=0 - 1", "ignored"),
        ("bytes=0- 1", "ignored"), ("bytes =0-1", "ignored"), (" bytes=0-1", "ignored"),
        ("bytes=0-1;bytes=3-4", "ignored"), ("bytes:0-1", "ignored"), ("items=0-1", "ignored"),
        ("bytes=0-1,x", "ignored"), ("bytes=0-1, 5-4", "ignored"),
        ("bytes=0-1, bytes=3-4", "ignored"),
    ])
    func `one range`(value: String, expected: String) {
        #expect(selected(value, of: 1000) == expected, "\(value)")
    }

    @Test(arguments: [
        ("bytes=0-0,-1", "0-0 999-999"), ("bytes= 0-0 ,\t-1 ", "0-0 999-999"),
        ("bytes=,0-0,,-1,", "0-0 999-999"),
        // The order is the client's.
        ("bytes=900-, 0-9", "900-999 0-9"),
        ("bytes=0-9, 2000-, 500-509", "0-9 500-509"), ("bytes=2000-, 7-8", "7-8"),
        // What overlaps, touches or nearly does is one.
        ("bytes=0-9,5-19", "0-19"), ("bytes=0-9,10-19", "0-19"), ("bytes=0-9,89-99", "0-99"),
        ("bytes=0-9,90-99", "0-9 90-99"), ("bytes=0-9,0-9,0-9", "0-9"),
        ("bytes=0-9, 500-509, 300-309, 5-304", "0-309 500-509"),
        ("bytes=600-609, 0-9, 300-309, 200-290", "600-609 0-9 200-309"),
        ("bytes=0-,0-,0-,0-", "0-999"), ("bytes=0-0,0-,500-,-1", "0-999"),
    ])
    func `several ranges`(value: String, expected: String) {
        #expect(selected(value, of: 1000) == expected, "\(value)")
    }

    @Test func `of an empty body no range exists, and its end is all of it`() {
        #expect(selected("bytes=0-", of: 0) == "unsatisfiable")
        #expect(selected("bytes=0-0", of: 0) == "unsatisfiable")
        #expect(selected("bytes=-5", of: 0) == "ignored")
        #expect(selected("bytes=-0", of: 0) == "unsatisfiable")
    }

    @Test func `sixteen ranges are served, seventeen get the whole`() {
        let all = (0..<17).map { "\($0 * 200)-\($0 * 200)" }
        let some = selected("bytes=" + all.dropLast().joined(separator: ","), of: 10000)
        #expect(some.split(separator: " ").count == 16)
        #expect(selected("bytes=" + all.joined(separator: ","), of: 10000) == "ignored")
        // Also when most do not exist, or are the same.
        #expect(selected("bytes=" + all.joined(separator: ","), of: 1) == "ignored")
        let same = Array(repeating: "0-", count: 1300).joined(separator: ",")
        #expect(selected("bytes=" + same, of: 1000) == "ignored")
    }

    @Test func `random ranges select the bytes that an obvious reading selects`() {
        var random = SeededRandom(seed: 14)
        for _ in 0..<20_000 {
            let length = random.below(600)
            let members = (0..<1 + random.below(6)).map { _ -> String in
                let (a, b) = (random.below(700), random.below(700))
                switch random.below(4) {
                case 0: return "\(a)-"
                case 1: return "-\(a)"
                default: return "\(min(a, b))-\(max(a, b))"
                }
            }
            var wanted = Set<Int>()
            for member in members {
                let ends = member.split(separator: "-", omittingEmptySubsequences: false).map {
                    Int($0)
                }
                switch (ends[0], ends[1]) {
                case (let first?, let last):
                    wanted.formUnion(first..<max(first, (last ?? 9999) + 1))
                case (nil, let suffix?): wanted.formUnion(max(0, length - suffix)..<length)
                default: break
                }
            }
            wanted = wanted.filter { $0 < length }
            let value = bytes("bytes=" + members.joined(separator: ","))
            switch RangeSelection(value.span, of: length) {
            case .slices(let slices):
                var sent = Set<Int>()
                for i in slices.indices {
                    #expect(sent.isDisjoint(with: slices[i].start..<slices[i].end), "twice")
                    sent.formUnion(slices[i].start..<slices[i].end)
                    for other in slices.indices where other != i {
                        #expect(
                            slices[other].end + 80 <= slices[i].start
                                || slices[i].end + 80 <= slices[other].start)
                    }
                }
                #expect(sent.isSuperset(of: wanted))
                #expect(sent.allSatisfy { $0 < length })
                // What nobody asked for lies in a gap of less than 80.
                #expect(sent.count - wanted.count <= 79 * members.count)
            case .unsatisfiable: #expect(wanted.isEmpty)
            case .ignored: #expect(length == 0)
            }
        }
    }
}
