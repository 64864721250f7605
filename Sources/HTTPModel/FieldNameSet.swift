/// A set of known field names in one word.
public struct FieldNameSet: Sendable, BitwiseCopyable, ExpressibleByArrayLiteral {
    @usableFromInline var bits: UInt64

    /// Creates an empty set.
    @inlinable
    public init() { bits = 0 }

    /// Creates the set of `names`; of a literal the compiler makes one constant.
    @inlinable
    @inline(__always)
    public init(arrayLiteral names: FieldName...) {
        self.init()
        for name in names { insert(name) }
    }

    /// Whether `name` is in the set.
    @inlinable
    public func contains(_ name: FieldName) -> Bool { (bits &>> UInt64(name.rawValue)) & 1 == 1 }
    /// Whether the sets share a name.
    @inlinable
    public func intersects(_ other: FieldNameSet) -> Bool { bits & other.bits != 0 }
    /// The names of both sets.
    @inlinable
    public func union(_ other: FieldNameSet) -> FieldNameSet {
        var both = self
        both.bits |= other.bits
        return both
    }
    /// Adds `name`.
    @inlinable
    public mutating func insert(_ name: FieldName) { bits |= 1 &<< UInt64(name.rawValue) }
    /// Adds `name` when it is in `other`.
    mutating func insert(_ name: FieldName, ifIn other: FieldNameSet) {
        bits |= other.bits & 1 &<< UInt64(name.rawValue)
    }
    /// Empties the set.
    @inlinable
    public mutating func removeAll() { bits = 0 }
}

/// The names that were seen, and those that were seen again.
struct FieldNameTally: Sendable, BitwiseCopyable {
    private(set) var once: FieldNameSet = []
    private(set) var twice: FieldNameSet = []

    /// Counts `name`.
    @inline(__always)
    mutating func insert(_ name: FieldName) {
        twice.insert(name, ifIn: once)
        once.insert(name)
    }
    /// Forgets all names.
    mutating func removeAll() { self = FieldNameTally() }
}
