// The only raw loads and literal reads of the module. Each is in bounds for the reason beside it.

extension StaticString {
    /// The UTF-8 bytes of the literal.
    @inline(__always)
    public var bytes: Span<UInt8> {
        @_lifetime(immortal) get {
            precondition(hasPointerRepresentation)
            // A literal with pointer representation is never freed.
            let span = unsafe Span(_unsafeStart: utf8Start, count: utf8CodeUnitCount)
            return unsafe _overrideLifetime(span, copying: ())
        }
    }
}

extension Span where Element == UInt8 {
    /// The eight bytes from `index` as a word, the first one least significant.
    @inlinable
    @inline(__always)
    public func littleEndianWord(at index: Int) -> UInt64 {
        precondition(index >= 0 && index <= count - 8)
        // Eight bytes are there by the line above; the load needs no alignment.
        return unsafe withUnsafeBytes {
            unsafe UInt64(littleEndian: $0.loadUnaligned(fromByteOffset: index, as: UInt64.self))
        }
    }

    /// The four bytes from `index` as a word, the first one least significant.
    @inlinable
    @inline(__always)
    func littleEndianHalf(at index: Int) -> UInt64 {
        precondition(index >= 0 && index <= count - 4)
        // Four bytes are there by the line above; the load needs no alignment.
        return unsafe withUnsafeBytes {
            unsafe UInt64(
                UInt32(littleEndian: $0.loadUnaligned(fromByteOffset: index, as: UInt32.self)))
        }
    }

    /// The bytes from `index` to the end, seven at most, as a word, the first one least significant; those that
    /// are not there count as 0.
    @inline(__always)
    func littleEndianRest(from index: Int) -> UInt64 { littleEndianRest(from: index, to: count) }

    /// The bytes from `index` and before `end`, seven at most, in the same way.
    @inlinable
    @inline(__always)
    public func littleEndianRest(from index: Int, to end: Int) -> UInt64 {
        let rest = end - index
        precondition(rest >= 0 && rest < 8)
        if rest == 0 { return 0 }
        if end >= 8 { return littleEndianWord(at: end - 8) &>> UInt64(64 - 8 * rest) }
        // Two that overlap say the same where they do.
        if rest >= 4 {
            return littleEndianHalf(at: index)
                | littleEndianHalf(at: end - 4) &<< UInt64(8 * (rest - 4))
        }
        let middle = rest / 2
        return UInt64(self[index]) | UInt64(self[index + middle]) &<< UInt64(8 * middle)
            | UInt64(self[end - 1]) &<< UInt64(8 * (rest - 1))
    }

    /// The bytes from `index` and before `end`, seven at most, with their number in the top byte: two such words are
    /// equal when the bytes are.
    @inlinable
    @inline(__always)
    public func shortWord(from index: Int, to end: Int) -> UInt64 {
        littleEndianRest(from: index, to: end) | UInt64(end - index) &<< 56
    }

    /// The index of the first byte from `start` and before `end` that `marks` marks, or `end`.
    ///
    /// It is given sixteen bytes at a time, of which those before `start` and after `end` do not matter.
    @inlinable
    @inline(__always)
    public func firstMarked(
        from start: Int, to end: Int, by marks: (SIMD16<UInt8>) -> SIMDMask<SIMD16<Int8>>
    ) -> Int {
        precondition(start >= 0 && start <= end && end <= count)
        var i = start
        while i < end {
            let found = unsafe unsafeBitCast(marks(vector(at: i)), to: SIMD2<UInt64>.self)
            if found[0] != 0 { return Swift.min(end, i &+ found[0].trailingZeroBitCount &>> 3) }
            if found[1] != 0 {
                return Swift.min(end, i &+ 8 &+ found[1].trailingZeroBitCount &>> 3)
            }
            i &+= 16
        }
        return end
    }

    /// The sixteen bytes from `index`; those after the end are 0.
    @inlinable
    @inline(__always)
    func vector(at index: Int) -> SIMD16<UInt8> {
        guard index <= count &- 16 else { return lastVector(at: index) }
        // Sixteen bytes are there by the line above; the load needs no alignment.
        return unsafe withUnsafeBytes {
            unsafe $0.loadUnaligned(fromByteOffset: index, as: SIMD16<UInt8>.self)
        }
    }

    /// The same where fewer are there.
    @usableFromInline
    @inline(never)
    func lastVector(at index: Int) -> SIMD16<UInt8> {
        let words =
            index <= count - 8
            ? SIMD2(littleEndianWord(at: index), littleEndianRest(from: index + 8))
            : SIMD2(littleEndianRest(from: index), 0)
        return unsafe unsafeBitCast(words, to: SIMD16<UInt8>.self)
    }

    /// Whether this span's words are the same as those of `other`, which has as many bytes.
    ///
    /// `areSame` must compare byte by byte: short spans are put together from two loads.
    @inline(__always)
    func matches(_ other: Span<UInt8>, by areSame: (UInt64, UInt64) -> Bool) -> Bool {
        let count = count
        precondition(count == other.count)
        return unsafe withUnsafeBytes { mine in
            unsafe other.withUnsafeBytes { theirs in
                // Every load ends at `count` or before: `i < count - 8`, then exactly there.
                func word(_ bytes: UnsafeRawBufferPointer, _ i: Int) -> UInt64 {
                    unsafe bytes.loadUnaligned(fromByteOffset: i, as: UInt64.self)
                }
                func halves(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
                    let first = unsafe bytes.loadUnaligned(as: UInt32.self)
                    let last = unsafe bytes.loadUnaligned(
                        fromByteOffset: count &- 4, as: UInt32.self)
                    return UInt64(first) << 32 | UInt64(last)
                }
                if count >= 8 {
                    var i = 0
                    while i < count &- 8 {
                        if !areSame(unsafe word(mine, i), unsafe word(theirs, i)) { return false }
                        i &+= 8
                    }
                    return areSame(
                        unsafe word(mine, count &- 8), unsafe word(theirs, count &- 8))
                }
                if count >= 4 { return areSame(unsafe halves(mine), unsafe halves(theirs)) }
                for i in 0..<count {
                    if !areSame(UInt64(unsafe mine[i]), UInt64(unsafe theirs[i])) { return false }
                }
                return true
            }
        }
    }

    /// A `String` of the bytes, with damaged UTF-8 replaced. For messages, never for the data plane.
    public var text: String {
        unsafe withUnsafeBufferPointer { unsafe String(decoding: $0, as: UTF8.self) }
    }

    /// A copy of the bytes.
    public var copied: [UInt8] {
        unsafe withUnsafeBufferPointer { unsafe Array($0) }
    }
}

extension Array where Element == UInt8 {
    /// Appends all bytes of `bytes`.
    public mutating func append(_ bytes: Span<UInt8>) {
        // `bytes` cannot overlap `self`: a span of it would be a borrow during this mutation.
        unsafe bytes.withUnsafeBufferPointer { unsafe append(contentsOf: $0) }
    }

    /// Appends the UTF-8 bytes of a literal, without building a `String`.
    public mutating func append(_ text: StaticString) {
        append(text.bytes)
    }
}
