internal import CZlib
internal import Primitives

/// zlib's deflate behind a gzip head and trailer. The head has no time, so equal bodies give equal bytes.
@safe struct GzipEncoder: ~Copyable {
    /// Owned, and on the heap: zlib's state points back at it.
    private let stream: UnsafeMutablePointer<z_stream>

    init(level: Int) throws(CompressionFailure) {
        let made = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        unsafe made.initialize(to: z_stream())
        guard unsafe weir_gzip_begin(made, Int32(level)) == Z_OK else {
            unsafe made.deallocate()
            throw .noMemory
        }
        unsafe stream = made
    }

    deinit {
        unsafe deflateEnd(stream)
        unsafe stream.deallocate()
    }

    /// Takes all of `input`, and appends what comes out of it.
    borrowing func run(
        _ input: Span<UInt8>, _ mode: EncoderMode, into output: ByteBuffer
    ) -> EncodeStep {
        precondition(input.count <= Int(UInt32.max))
        let stream = unsafe self.stream
        let flush =
            switch mode {
            case .process: Z_NO_FLUSH
            case .flush: Z_SYNC_FLUSH
            case .finish: Z_FINISH
            }
        return unsafe input.withUnsafeBufferPointer { bytes in
            // zlib reads its input and does not write it; it keeps no pointer once all of it is taken.
            unsafe stream.pointee.next_in = UnsafeMutablePointer(mutating: bytes.baseAddress)
            unsafe stream.pointee.avail_in = UInt32(bytes.count)
            while true {
                var result = Z_OK
                _ = unsafe output.withSpare(Bounds.room) { spare in
                    let room = UInt32(clamping: spare.count)
                    unsafe stream.pointee.next_out = spare.baseAddress?.assumingMemoryBound(
                        to: UInt8.self)
                    unsafe stream.pointee.avail_out = room
                    result = unsafe deflate(stream, flush)
                    return unsafe Int(room - stream.pointee.avail_out)
                }
                switch result {
                case Z_STREAM_END: return .done
                // Room that is left says that everything has come out. Z_BUF_ERROR: there was nothing to do.
                case Z_OK, Z_BUF_ERROR:
                    if unsafe stream.pointee.avail_out > 0 {
                        return mode == .finish ? .failed(.library) : .needsMore
                    }
                default: return .failed(.library)
                }
            }
        }
    }
}
