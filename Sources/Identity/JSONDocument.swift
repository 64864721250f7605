import Primitives

/// A JSON text (RFC 8259) whose value is an object, as a flat list of its values in their order.
///
/// A picture: `{"aud":["a",1]}` = `nodes: [object, string, array, string, number]` over
/// `bytes: aud·a·1`. Strings are decoded, numbers as they were written. A node knows where the one after it
/// and all it holds is, so a member is found without looking into the others. Reused from text to text,
/// a warm document allocates nothing.
struct JSONDocument: Sendable {
    enum Kind: UInt8, Sendable, BitwiseCopyable {
        case object, array, string, number, boolean, null
    }

    /// One value, or the name of a member, which is a string in front of its value.
    struct Node: Sendable, BitwiseCopyable {
        var kind: Kind
        /// The text of a string or number in the document's bytes.
        var text: ByteRange
        /// The index of the node after this one and all it holds.
        var next: Int
    }

    // Written by the reader alone.
    var bytes: [UInt8] = []
    var nodes: [Node] = []
    var at = 0

    /// The index of the outermost object.
    static let root = 0

    func kind(of node: Int) -> Kind { nodes[node].kind }

    /// The text of a string or number.
    @_lifetime(borrow self)
    borrowing func text(of node: Int) -> Span<UInt8> { bytes.span(nodes[node].text) }

    /// The value of the member of `object` with this name, or `nil`.
    func member(_ name: Span<UInt8>, of object: Int = root) -> Int? {
        var node = object + 1
        while node < nodes[object].next {
            if text(of: node).equals(name) { return node + 1 }
            node = nodes[node + 1].next
        }
        return nil
    }

    /// The value of the member of `object` with this name, or `nil`.
    func member(_ name: StaticString, of object: Int = root) -> Int? {
        var node = object + 1
        while node < nodes[object].next {
            if text(of: node).equals(name) { return node + 1 }
            node = nodes[node + 1].next
        }
        return nil
    }

    /// The index of a string among the members of `object`, or `nil` when it is absent or something else.
    func string(_ name: StaticString, of object: Int = root) -> Int? {
        guard let node = member(name, of: object), nodes[node].kind == .string else { return nil }
        return node
    }

    /// The first element of an array, or `nil`. The one after it is at its `next`, within the array's.
    func firstElement(of array: Int) -> Int? {
        array + 1 < nodes[array].next ? array + 1 : nil
    }

    /// The element of `array` after `element`, or `nil`.
    func element(after element: Int, of array: Int) -> Int? {
        nodes[element].next < nodes[array].next ? nodes[element].next : nil
    }

    /// Whether no name of `object` is there twice, as RFC 7515 §4 and RFC 7519 §4 want it, after decoding of
    /// escapes. Objects with more names than the bound are refused too, because this compares each two.
    func hasUniqueNames(_ object: Int = root) -> Bool {
        var names = 0
        var node = object + 1
        while node < nodes[object].next {
            names += 1
            if names > IdentityBounds.jsonMembersMax { return false }
            var earlier = object + 1
            while earlier < node {
                if text(of: earlier).equals(text(of: node)) { return false }
                earlier = nodes[earlier + 1].next
            }
            node = nodes[node + 1].next
        }
        return true
    }
}
