public import HTTPModel
public import Primitives

/// Finds the data of one message's body in the bytes of its connection, without copying it.
///
/// Of any length and in any pieces; a decoder holds no data. Chunk extensions are skipped, trailers are
/// checked and collected, both bounded.
public struct BodyDecoder: Sendable {
    /// What `next` found.
    public enum Step: Sendable, BitwiseCopyable, Equatable {
        /// Body data at this range of the input; give up `consumed` bytes after it is used.
        case data(ByteRange, consumed: Int)
        /// No data before more bytes arrive. All of the input was used up.
        case needsMore(consumed: Int)
        /// The body is complete; the bytes after `consumed` belong to the next message.
        case end(consumed: Int)
    }

    private enum State: BitwiseCopyable {
        case complete
        case length(UInt64)
        case untilClose
        case chunked
    }

    private var state: State
    private var chunks = ChunkReader()
    private var section = TrailerSection()
    /// Whether `chunks` and `section` were used.
    private var wasChunked: Bool

    /// Creates a decoder for a body that ends as `framing` says.
    public init(_ framing: BodyFraming) {
        state = BodyDecoder.start(of: framing)
        wasChunked = framing == .chunked
    }

    /// Begins with the next body, which ends as `framing` says.
    public mutating func begin(_ framing: BodyFraming) {
        state = BodyDecoder.start(of: framing)
        if wasChunked {
            chunks = ChunkReader()
            section = TrailerSection()
        }
        wasChunked = framing == .chunked
    }

    private static func start(of framing: BodyFraming) -> State {
        switch framing {
        case .none, .length(0): .complete
        case .length(let length): .length(length)
        case .chunked: .chunked
        case .untilClose: .untilClose
        }
    }

    /// Whether the whole body was read; known as soon as its last byte was handed out.
    public var isComplete: Bool {
        if case .complete = state { return true }
        return false
    }

    /// The trailer fields of a chunked body that was read whole; empty for all others.
    ///
    /// Fields that must not stand in a trailer (RFC 9110 §6.5.1), because they frame, route or
    /// authenticate the message, are left out.
    public var trailers: FieldList { section.fields }

    /// Looks at the next bytes of the connection and names the first data among them.
    ///
    /// - Parameter input: The bytes that no earlier step consumed.
    /// - Returns: What was found first.
    /// - Throws: What is wrong with the chunks or the trailers.
    public mutating func next(_ input: Span<UInt8>) throws(BodyError) -> Step {
        switch state {
        case .complete:
            return .end(consumed: 0)
        case .length(let left):
            guard input.count > 0 else { return .needsMore(consumed: 0) }
            let count = left < UInt64(input.count) ? Int(left) : input.count
            state = UInt64(count) == left ? .complete : .length(left - UInt64(count))
            return .data(ByteRange(start: 0, count: count), consumed: count)
        case .untilClose:
            guard input.count > 0 else { return .needsMore(consumed: 0) }
            return .data(ByteRange(start: 0, count: input.count), consumed: input.count)
        case .chunked:
            return try nextChunked(input)
        }
    }

    /// The bytes of the body that are still to come and have no framing between them; 0 where there is some, or
    /// where the length is not known.
    public var plainRest: UInt64 {
        if case .length(let left) = state { return left }
        return 0
    }

    /// Notes that `count` bytes of `plainRest` went another way.
    public mutating func skip(_ count: Int) {
        let left = plainRest
        precondition(UInt64(count) <= left)
        state = UInt64(count) == left ? .complete : .length(left - UInt64(count))
    }

    /// The connection will bring no more bytes.
    ///
    /// - Throws: `truncated`, unless the body was complete or ends with its connection.
    public mutating func endOfInput() throws(BodyError) {
        switch state {
        case .complete, .untilClose: state = .complete
        case .length, .chunked: throw .truncated
        }
    }

    private mutating func nextChunked(_ input: Span<UInt8>) throws(BodyError) -> Step {
        var i = 0
        while i < input.count {
            switch try chunks.step(input, at: &i) {
            case .data(let range):
                return .data(range, consumed: range.end)
            case .more:
                break
            case .trailers:
                guard try section.read(input, at: &i) else { break }
                state = .complete
                return .end(consumed: i)
            }
        }
        return .needsMore(consumed: i)
    }
}
