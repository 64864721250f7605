/// A growing block of bytes with a read and a write position: what arrives and what will be sent.
///
///     |  consumed  |  readable  |  spare  |
///     0        readIndex    writeIndex  capacity
///
/// A reference, so that a connection's parts share it; it belongs to one worker. Reading it empty moves
/// both positions back to 0, so a warm buffer neither moves nor allocates.
@safe public final class ByteBuffer {
    @usableFromInline var base: UnsafeMutableRawPointer
    /// Bytes that fit before the block must grow.
    public var capacity: Int { blockSize }
    @usableFromInline var blockSize: Int
    private var readIndex = 0
    @usableFromInline var writeIndex = 0

    /// Creates an empty buffer of `capacity` bytes, at least 64.
    public init(capacity: Int) {
        blockSize = max(capacity, 64)
        unsafe base = .allocate(byteCount: blockSize, alignment: 16)
    }

    deinit { unsafe base.deallocate() }

    /// The number of bytes that can be read.
    public var count: Int { writeIndex - readIndex }
    /// Whether nothing can be read.
    public var isEmpty: Bool { writeIndex == readIndex }

    /// The bytes that were written and not yet consumed.
    public var readable: Span<UInt8> {
        @_lifetime(borrow self) get {
            // `readIndex ≤ writeIndex ≤ capacity` always, and all bytes before `writeIndex` are initialised.
            let start = unsafe UnsafePointer(
                (base + readIndex).assumingMemoryBound(to: UInt8.self))
            let span = unsafe Span(_unsafeStart: start, count: count)
            return unsafe _overrideLifetime(span, borrowing: self)
        }
    }

    /// A copy of the first `n` readable bytes, which stay.
    public func prefix(_ n: Int) -> [UInt8] { readable.extracting(0..<n).copied }

    /// Gives up the first `n` readable bytes.
    public func consume(_ n: Int) {
        precondition(n >= 0 && n <= count)
        readIndex += n
        if readIndex == writeIndex {
            readIndex = 0
            writeIndex = 0
        }
    }

    /// Forgets all bytes and keeps the memory.
    public func removeAll() {
        readIndex = 0
        writeIndex = 0
    }

    /// Makes room for `n` more bytes: moves the readable ones to the front, or doubles the block.
    @inlinable
    @inline(__always)
    public func reserve(_ n: Int) {
        // `writeIndex ≤ blockSize` always.
        if blockSize &- writeIndex < n { makeRoom(n) }
    }

    @inline(never)
    @usableFromInline
    func makeRoom(_ n: Int) {
        let length = count
        if blockSize - length >= n {
            unsafe base.copyMemory(from: base + readIndex, byteCount: length)
        } else {
            let grown = max(blockSize * 2, length + n)
            let block = UnsafeMutableRawPointer.allocate(byteCount: grown, alignment: 16)
            unsafe block.copyMemory(from: base + readIndex, byteCount: length)
            unsafe base.deallocate()
            unsafe base = block
            blockSize = grown
        }
        readIndex = 0
        writeIndex = length
    }

    /// Gives memory above `limit` bytes back, when the buffer is empty.
    @inlinable
    @inline(__always)
    public func shrink(to limit: Int) {
        if blockSize > limit { shrinkBlock(to: limit) }
    }

    @usableFromInline
    @inline(never)
    func shrinkBlock(to limit: Int) {
        guard isEmpty else { return }
        unsafe base.deallocate()
        blockSize = max(limit, 64)
        unsafe base = .allocate(byteCount: blockSize, alignment: 16)
        removeAll()
    }

    /// Appends one byte.
    @inlinable
    @inline(__always)
    public func append(_ byte: UInt8) {
        reserve(1)
        let start = writeIndex
        writeIndex = start &+ 1
        unsafe base.storeBytes(of: byte, toByteOffset: start, as: UInt8.self)
    }

    /// Appends all bytes of `bytes`, which must not lie in this buffer.
    @inlinable
    @inline(__always)
    public func append(_ bytes: Span<UInt8>) {
        reserve(bytes.count)
        // `reserve` made the room; the source is another block.
        unsafe bytes.withUnsafeBytes { source in
            guard let start = source.baseAddress else { return }
            unsafe (base + writeIndex).copyMemory(from: start, byteCount: source.count)
        }
        writeIndex = writeIndex &+ bytes.count
    }

    /// Appends the bytes of `range` in `bytes`.
    public func append(_ range: ByteRange, of bytes: [UInt8]) { append(bytes.span(range)) }

    /// Appends the first `count` readable bytes of another buffer, which keeps them.
    public func append(_ count: Int, of other: ByteBuffer) {
        precondition(other !== self)
        append(other.readable.extracting(0..<count))
    }

    /// Appends all readable bytes of another buffer, which keeps them.
    public func append(_ other: ByteBuffer) {
        precondition(other !== self)
        append(other.readable)
    }

    /// Appends the UTF-8 bytes of a literal. Heads are made of them: where the compiler sees the literal it stores
    /// the bytes themselves.
    @inlinable
    @inline(__always)
    public func append(_ text: StaticString) {
        precondition(text.hasPointerRepresentation)
        let length = text.utf8CodeUnitCount
        reserve(length)
        let start = writeIndex
        writeIndex = start &+ length
        unsafe (base + start).copyMemory(from: text.utf8Start, byteCount: length)
    }

    /// Appends a literal, all bytes of `bytes`, which must not lie in this buffer, and another literal: what most lines
    /// of a head are, with one look at the room.
    @inlinable
    @inline(__always)
    public func append(_ start: StaticString, _ bytes: Span<UInt8>, _ end: StaticString) {
        precondition(start.hasPointerRepresentation)
        precondition(end.hasPointerRepresentation)
        let length = start.utf8CodeUnitCount + bytes.count + end.utf8CodeUnitCount
        reserve(length)
        // `reserve` made the room for the three; the source is another block.
        var place = unsafe base + writeIndex
        unsafe place.copyMemory(from: start.utf8Start, byteCount: start.utf8CodeUnitCount)
        unsafe place += start.utf8CodeUnitCount
        unsafe bytes.withUnsafeBytes { source in
            guard let start = source.baseAddress else { return }
            unsafe place.copyMemory(from: start, byteCount: source.count)
        }
        unsafe place += bytes.count
        unsafe place.copyMemory(from: end.utf8Start, byteCount: end.utf8CodeUnitCount)
        writeIndex += length
    }

    /// Appends the UTF-8 bytes of `text`. For rare text; the data plane keeps bytes.
    public func append(text: String) {
        append(Array(text.utf8).span)
    }

    /// Appends `number` in decimal digits.
    public func append(decimal number: UInt64) {
        guard number < DecimalDigits.bound else { return append(longDecimal: number) }
        reserve(8)
        if number < 10 {
            unsafe base.storeBytes(
                of: UInt8(truncatingIfNeeded: 48 + number), toByteOffset: writeIndex,
                as: UInt8.self)
            writeIndex = writeIndex &+ 1
            return
        }
        let digits = DecimalDigits(number)
        append(digits, from: digits.first)
    }

    /// The same for one of more than eight digits: what stands before the last eight comes first.
    @inline(never)
    private func append(longDecimal number: UInt64) {
        append(decimal: number / DecimalDigits.bound)
        reserve(8)
        append(DecimalDigits(number % DecimalDigits.bound), from: 0)
    }

    /// Appends eight digits but the first ones.
    @inline(__always)
    private func append(_ digits: DecimalDigits, from first: Int) {
        // There is room for the whole word that is stored: what follows the last digit is written over later.
        let start = writeIndex
        writeIndex = start &+ (8 - first)
        unsafe base.storeBytes(
            of: (digits.text >> UInt64(first * 8)).littleEndian, toByteOffset: start,
            as: UInt64.self)
    }

    /// Lets `body` write into at least `minimum` spare bytes; it returns how many it wrote, or less than
    /// zero to report an error, which is passed on and writes nothing.
    @inlinable
    @inline(__always)
    @unsafe public func withSpare(
        _ minimum: Int, _ body: (UnsafeMutableRawBufferPointer) -> Int
    ) -> Int {
        reserve(minimum)
        let spare = unsafe UnsafeMutableRawBufferPointer(
            start: base + writeIndex, count: blockSize - writeIndex)
        let written = unsafe body(spare)
        precondition(written <= spare.count)
        if written > 0 { writeIndex += written }
        return written
    }
}
