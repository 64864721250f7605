public import HTTPModel
public import Primitives

/// Whom and what a request is counted as: what limits look at. Lent for one decision.
public struct LimitSubject: ~Escapable, BitwiseCopyable {
    /// The client's address, for overrides.
    public let address: IPAddress
    /// The client's address, cut to the prefix that is counted as one.
    public let counted: IPAddress
    /// The method, a part of `endpoint`. All methods without a case count as one.
    public let method: Method
    /// The user; `nil` or empty: none.
    public let user: Span<UInt8>?
    /// The company; `nil` or empty: none.
    public let company: Span<UInt8>?
    /// The tier; `nil` or unknown to a limit: its ordinary rate.
    public let tier: Span<UInt8>?

    /// Lends the parts of an identity.
    @_lifetime(copy user, copy company, copy tier)
    public init(
        address: IPAddress, counted: IPAddress, method: Method, user: Span<UInt8>?,
        company: Span<UInt8>?, tier: Span<UInt8>?
    ) {
        self.address = address
        self.counted = counted
        self.method = method
        self.user = user
        self.company = company
        self.tier = tier
    }
}

/// The values of the header fields and claims that the limits of a route count by, in the order of
/// `LimitPolicy.dimensions`. Reused from request to request; a warm value allocates nothing. It is lent and never
/// copied.
public struct LimitDimensions: ~Copyable, Sendable {
    private var bytes: [UInt8] = []
    private var ranges: [ByteRange] = []

    /// Creates an empty list.
    public init() {}

    /// The number of values.
    public var count: Int { ranges.count }

    /// Forgets all values and keeps the memory.
    public mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        ranges.removeAll(keepingCapacity: true)
    }

    /// Adds the value of the next dimension; `nil`: the request has none.
    public mutating func append(_ value: Span<UInt8>?) {
        precondition(count < LimitBounds.dimensionsMax)
        let start = bytes.count
        if let value { bytes.append(value) }
        ranges.append(ByteRange(start: start, count: bytes.count - start))
    }

    /// Adds `value` to the last one, after a comma: a field's further line.
    public mutating func extendLast(_ value: Span<UInt8>) {
        precondition(count > 0)
        bytes.append(UInt8(ascii: ","))
        bytes.append(value)
        let start = Int(ranges[count - 1].start)
        ranges[count - 1] = ByteRange(start: start, count: bytes.count - start)
    }

    /// The value of a dimension; `nil` when the request lacks it or it is empty.
    public subscript(index: Int) -> Span<UInt8>? {
        @_lifetime(borrow self) borrowing get {
            guard index < count, !ranges[index].isEmpty else { return nil }
            return bytes.span(ranges[index])
        }
    }
}

/// The cache's part in an answer, as costs distinguish it.
public enum LimitAnswer: UInt8, Sendable, BitwiseCopyable {
    /// A fresh stored answer, or one that another request was fetching.
    case hit
    /// A stale stored answer.
    case stale
    /// The origin's answer, or none.
    case miss
}
