/// Integers as a MessagePack array, the form in which they travel to a script of Redis and back.
///
/// Lua reads and writes it with one call (`cmsgpack`), and a number below 128 takes one byte.
public enum PackedIntegers {
    /// The bytes before an array of up to 2³² − 1 integers that `append` writes.
    static let headerBytes = 5

    /// Appends the header of an array of `count` integers: always five bytes.
    public static func appendHeader(_ count: Int, to bytes: inout [UInt8]) {
        bytes.append(0xDD)
        appendWord(UInt64(count), 4, to: &bytes)
    }

    /// Appends an integer.
    public static func append(_ number: Int64, to bytes: inout [UInt8]) {
        switch number {
        case 0..<0x80: bytes.append(UInt8(truncatingIfNeeded: number))
        case 0x80..<0x1_0000:
            bytes.append(0xCD)
            appendWord(UInt64(number), 2, to: &bytes)
        case 0x1_0000..<0x1_0000_0000:
            bytes.append(0xCE)
            appendWord(UInt64(number), 4, to: &bytes)
        default:
            bytes.append(0xD3)
            appendWord(UInt64(bitPattern: number), 8, to: &bytes)
        }
    }

    /// The bytes that an integer takes.
    static func byteCount(of number: Int64) -> Int {
        switch number {
        case 0..<0x80: 1
        case 0x80..<0x1_0000: 3
        case 0x1_0000..<0x1_0000_0000: 5
        default: 9
        }
    }

    private static func appendWord(_ word: UInt64, _ size: Int, to bytes: inout [UInt8]) {
        for shift in stride(from: 8 * size - 8, through: 0, by: -8) {
            bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(shift)))
        }
    }

    /// Reads the integers of an array one after the other.
    public struct Reader: ~Escapable {
        private let bytes: Span<UInt8>
        private var position = 0
        /// The integers of the array, as its header says.
        public let count: Int

        /// Reads the header; `nil` when the bytes are no array.
        @_lifetime(copy bytes)
        public init?(_ bytes: Span<UInt8>) {
            self.bytes = bytes
            guard bytes.count > 0 else { return nil }
            let first = bytes[0]
            let size = first == 0xDC ? 2 : first == 0xDD ? 4 : 0
            guard size > 0 || first & 0xF0 == 0x90, bytes.count > size else { return nil }
            var length = size == 0 ? Int(first & 15) : 0
            for index in 1..<(size + 1) { length = length << 8 | Int(bytes[index]) }
            count = length
            position = 1 + size
        }

        /// The next integer; `nil` behind the last one, and for anything else.
        public mutating func next() -> Int64? {
            guard position < bytes.count else { return nil }
            let first = bytes[position]
            position += 1
            switch first {
            case 0...0x7F: return Int64(first)
            case 0xE0...0xFF: return Int64(Int8(bitPattern: first))
            case 0xCC: return word(1).map { Int64($0) }
            case 0xCD: return word(2).map { Int64($0) }
            case 0xCE: return word(4).map { Int64($0) }
            case 0xCF, 0xD3: return word(8).map { Int64(bitPattern: $0) }
            case 0xD0: return word(1).map { Int64(Int8(truncatingIfNeeded: $0)) }
            case 0xD1: return word(2).map { Int64(Int16(truncatingIfNeeded: $0)) }
            case 0xD2: return word(4).map { Int64(Int32(truncatingIfNeeded: $0)) }
            default: return nil
            }
        }

        private mutating func word(_ size: Int) -> UInt64? {
            guard bytes.count - position >= size else { return nil }
            var word: UInt64 = 0
            for offset in 0..<size { word = word << 8 | UInt64(bytes[position + offset]) }
            position += size
            return word
        }
    }
}
