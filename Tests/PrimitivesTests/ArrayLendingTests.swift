import Primitives
import Testing

struct ArrayLendingTests {
    private final class Counted: Sendable {
        let number: Int

        init(_ number: Int) { self.number = number }
    }

    @Test func `each element is lent under its index`() {
        let objects = (0..<5).map(Counted.init)
        for index in objects.indices {
            #expect(objects.lend(index) { $0.number } == index)
        }
    }

    @Test func `an element that is kept outlives its array`() {
        var objects = [Counted(7)]
        let kept = objects.lend(0) { $0 }
        objects.removeAll()
        #expect(kept.number == 7)
    }
}
