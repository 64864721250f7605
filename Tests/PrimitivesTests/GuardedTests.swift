import Primitives
import Testing

private final class Ledger: Sendable {
    let pair = Guarded((left: 500, right: 500))
}

@Test func `nobody sees the value half-way through another's change`() async {
    let ledger = Ledger()
    await withTaskGroup(of: Int.self) { group in
        for mover in 1...4 {
            group.addTask {
                var torn = 0
                for _ in 0..<2000 {
                    ledger.pair.withLock { pair in
                        pair.left -= mover
                        pair.right += mover
                    }
                    let sum = ledger.pair.withLock { $0.left + $0.right }
                    if sum != 1000 { torn += 1 }
                }
                return torn
            }
        }
        for await torn in group { #expect(torn == 0) }
    }
    let left = ledger.pair.withLock { $0.left }
    #expect(left == 500 - 20_000)
}

@Test func `what the body throws comes out, and the lock is free again`() {
    struct Refused: Error {}
    let value = Guarded(1)
    #expect(throws: Refused.self) {
        try value.withLock { value throws(Refused) in
            value = 2
            throw Refused()
        }
    }
    let kept = value.withLock { $0 }
    #expect(kept == 2)
}
