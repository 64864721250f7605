public import Primitives

/// One command and its arguments, already in the form in which they are sent: an array of bulk strings.
public struct RedisCommand: Sendable {
    /// `$length`, the bytes, and line ends, for the name and each argument.
    private var parts: [UInt8]
    private var count = 1
    /// Where the first key lies in `parts`.
    private var keyRange: Range<Int>?

    /// Begins a command of `name`, with room for `reserving` bytes of arguments.
    public init(_ name: StaticString, reserving: Int = 64) {
        parts = []
        parts.reserveCapacity(reserving + name.utf8CodeUnitCount + 16)
        appendHead(name.utf8CodeUnitCount)
        parts.append(name)
        appendEnd()
    }

    /// Begins a command of `name` with `arguments`.
    public init(_ name: StaticString, _ arguments: String...) {
        self.init(name)
        for argument in arguments { append(text: argument) }
    }

    /// Its name and arguments.
    public var argumentCount: Int { count }
    /// About the bytes it takes when it is sent.
    public var byteCount: Int { parts.count + 8 }

    /// Adds an argument.
    public mutating func append(_ bytes: Span<UInt8>) {
        appendHead(bytes.count)
        parts.append(bytes)
        appendEnd()
        count += 1
    }

    /// Adds an argument.
    public mutating func append(_ bytes: [UInt8]) { append(bytes.span) }

    /// Adds a key; the first one decides which server of a cluster gets the command.
    public mutating func append(key: Span<UInt8>) {
        append(key)
        if keyRange == nil { keyRange = (parts.count - 2 - key.count)..<(parts.count - 2) }
    }

    /// Adds a key; the first one decides which server of a cluster gets the command.
    public mutating func append(key: [UInt8]) { append(key: key.span) }

    /// The first key.
    public var key: [UInt8]? { keyRange.map { Array(parts[$0]) } }

    /// Adds an argument.
    public mutating func append(_ word: StaticString) {
        appendHead(word.utf8CodeUnitCount)
        parts.append(word)
        appendEnd()
        count += 1
    }

    /// Adds an argument.
    public mutating func append(text: String) { append(Array(text.utf8).span) }

    /// Adds an argument of `length` bytes, which `write` appends.
    public mutating func append(bytes length: Int, _ write: (inout [UInt8]) -> Void) {
        appendHead(length)
        let end = parts.count + length
        write(&parts)
        precondition(parts.count == end)
        appendEnd()
        count += 1
    }

    /// Adds a number in decimal digits.
    public mutating func append(_ number: Int64) {
        appendHead(RedisCommand.digits(of: number.magnitude) + (number < 0 ? 1 : 0))
        if number < 0 { parts.append(UInt8(ascii: "-")) }
        appendDigits(number.magnitude)
        appendEnd()
        count += 1
    }

    /// Appends the command as it is sent.
    public func write(to buffer: ByteBuffer) {
        buffer.append(UInt8(ascii: "*"))
        buffer.append(decimal: UInt64(count))
        buffer.append("\r\n")
        buffer.append(parts.span)
    }

    private mutating func appendHead(_ length: Int) {
        parts.append(UInt8(ascii: "$"))
        appendDigits(UInt64(length))
        appendEnd()
    }

    private mutating func appendEnd() {
        parts.append(ASCII.cr)
        parts.append(ASCII.lf)
    }

    private static func digits(of number: UInt64) -> Int {
        var digits = 1
        var rest = number
        while rest >= 10 {
            rest /= 10
            digits += 1
        }
        return digits
    }

    private mutating func appendDigits(_ number: UInt64) {
        guard number >= 10 else { return parts.append(UInt8(truncatingIfNeeded: 48 + number)) }
        appendDigits(number / 10)
        parts.append(UInt8(truncatingIfNeeded: 48 + number % 10))
    }
}
