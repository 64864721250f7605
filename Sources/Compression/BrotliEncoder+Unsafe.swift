internal import CBrotli
internal import Primitives

/// The brotli library's encoder.
@safe struct BrotliEncoder: ~Copyable {
    /// Owned.
    private let state: OpaquePointer

    init(quality: Int, sizeHint: Int?) throws(CompressionFailure) {
        guard let made = unsafe BrotliEncoderCreateInstance(nil, nil, nil) else {
            throw .noMemory
        }
        unsafe state = made
        set(BROTLI_PARAM_QUALITY, UInt32(quality))
        set(BROTLI_PARAM_LGWIN, UInt32(BrotliEncoder.window(of: sizeHint)))
        set(BROTLI_PARAM_LGBLOCK, UInt32(Bounds.brotliBlock))
        if let sizeHint { set(BROTLI_PARAM_SIZE_HINT, UInt32(clamping: sizeHint)) }
    }

    deinit { unsafe BrotliEncoderDestroyInstance(state) }

    private borrowing func set(_ parameter: BrotliEncoderParameter, _ value: UInt32) {
        // Refused only once the stream has begun.
        let taken = unsafe BrotliEncoderSetParameter(state, parameter, value)
        precondition(taken != 0)
    }

    /// The logarithm of the smallest window that holds `size` bytes, within the bounds.
    private static func window(of size: Int?) -> Int {
        guard let size else { return Bounds.brotliWindow.upperBound - 1 }
        let bits = Int.bitWidth - max(size, 1).leadingZeroBitCount
        return min(max(bits, Bounds.brotliWindow.lowerBound), Bounds.brotliWindow.upperBound)
    }

    /// Takes all of `input`, and appends what comes out of it.
    borrowing func run(
        _ input: Span<UInt8>, _ mode: EncoderMode, into output: ByteBuffer
    ) -> EncodeStep {
        let state = unsafe self.state
        let operation =
            switch mode {
            case .process: BROTLI_OPERATION_PROCESS
            case .flush: BROTLI_OPERATION_FLUSH
            case .finish: BROTLI_OPERATION_FINISH
            }
        return unsafe input.withUnsafeBufferPointer { bytes in
            // The library keeps no pointer into input or output beyond a call.
            var next = bytes.baseAddress
            var left = bytes.count
            while true {
                var isRight = true
                _ = unsafe output.withSpare(Bounds.room) { spare in
                    var room = spare.count
                    var place = unsafe spare.baseAddress?.assumingMemoryBound(to: UInt8.self)
                    isRight =
                        unsafe BrotliEncoderCompressStream(
                            state, operation, &left, &next, &room, &place, nil) != 0
                    return spare.count - room
                }
                guard isRight else { return .failed(.library) }
                if left > 0 || (unsafe BrotliEncoderHasMoreOutput(state)) != 0 { continue }
                if mode != .finish { return .needsMore }
                if unsafe BrotliEncoderIsFinished(state) != 0 { return .done }
            }
        }
    }
}
