import Caching
import HTTPModel
import Primitives
import Testing

@Suite struct VariantKeyTests {
    private func matches(
        _ vary: [String], _ first: [(String, String)], _ second: [(String, String)]
    ) -> Bool {
        let variant = VariantKey(
            response: fields(vary.map { ("Vary", $0) }), request: fields(first))
        var scratch: [UInt8] = []
        return variant.matches(fields(second), scratch: &scratch)
    }

    @Test func `9111-4.1-equal: the same values match`() {
        #expect(matches(["Accept"], [("Accept", "a")], [("accept", "a")]))
        #expect(!matches(["Accept"], [("Accept", "a")], [("Accept", "b")]))
        #expect(!matches(["X-Own"], [("x-own", "a")], [("X-OWN", "A")]))
    }

    @Test func `9111-4.1-absent: absent equals absent alone, not empty`() {
        #expect(matches(["Accept, X"], [("Accept", "a")], [("Accept", "a")]))
        #expect(!matches(["X"], [], [("X", "")]))
        #expect(!matches(["X"], [("X", "a")], []))
    }

    @Test func `9111-4.1-unnamed: other fields do not matter`() {
        #expect(matches(["Accept"], [("Accept", "a"), ("X", "1")], [("X", "2"), ("Accept", "a")]))
        #expect(matches([], [("X", "1")], [("X", "2")]))
    }

    @Test func `9111-4.1-lines: several Vary lines are one list, and each of its names counts`() {
        #expect(
            !matches(
                ["Accept", "X"], [("Accept", "a"), ("X", "1")], [("Accept", "a"), ("X", "2")]))
        #expect(
            !matches(["Accept,X"], [("Accept", "a"), ("X", "1")], [("Accept", "b"), ("X", "1")]))
    }

    @Test func `9111-4.1-whitespace: spaces, commas and lines are one form`() {
        #expect(matches(["A"], [("A", "x, y")], [("A", "x ,y")]))
        #expect(matches(["A"], [("A", "x, y")], [("A", "x"), ("A", "y")]))
        #expect(matches(["A"], [("A", "x   y")], [("A", " x\ty ")]))
        #expect(!matches(["A"], [("A", "x y")], [("A", "xy")]))
        #expect(!matches(["A"], [("A", "x, y")], [("A", "y, x")]))
    }

    @Test func `9111-4.1-quoted: white space in quotes is content`() {
        #expect(!matches(["A"], [("A", "\"x  y\"")], [("A", "\"x y\"")]))
        #expect(!matches(["A"], [("A", "\"x, y\"")], [("A", "\"x,y\"")]))
        #expect(matches(["A"], [("A", "\"x\\\" ,\" ,z")], [("A", "\"x\\\" ,\",  z")]))
    }

    @Test func `values of neighbouring fields cannot run into each other`() {
        #expect(!matches(["A, B"], [("A", "1"), ("B", "2")], [("A", "1=2"), ("B", "")]))
        #expect(!matches(["A, B"], [("A", "x")], [("B", "x")]))
    }

    @Test func `a name that is repeated in another case counts once`() {
        let variant = VariantKey(
            response: fields([("Vary", "A, a"), ("vary", "A")]), request: fields([]))
        #expect(text(variant.names) == "a\n")
    }
}
