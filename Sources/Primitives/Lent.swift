/// A value that its owner lends: whoever only looks at it gets it where it is. A property of a class would be copied
/// for that, and each of its blocks counted up and down.
///
/// While it is lent its owner must not change it; debug builds stop where one does.
public struct Lent<Value: ~Copyable>: ~Copyable {
    /// The value, to be read in parts and to be changed.
    public var value: Value

    /// Owns `value`.
    public init(_ value: consuming Value) { self.value = value }

    /// Lends the value as a whole.
    @inline(__always)
    public borrowing func lend<Result>(_ body: (borrowing Value) -> Result) -> Result {
        body(value)
    }
}
