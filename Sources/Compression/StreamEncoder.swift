public import Primitives

/// One content coding of one body: bytes in, fewer bytes out, part by part.
///
///     body ── encode, encode … finish ──► [ library ] ──► output
///
/// Unique, as the library's state is: it is freed with its last use. What a call costs is in proportion to
/// its input, brotli's up to 64 KiB more, since it encodes by blocks. A gzip encoder has 264 KiB of memory, a
/// brotli encoder of the usual qualities 1 to 4 MiB by its window.
public struct StreamEncoder: ~Copyable {
    private enum Engine: ~Copyable {
        case gzip(GzipEncoder)
        case brotli(BrotliEncoder)
    }
    private var engine: Engine

    /// Begins a stream.
    ///
    /// - Parameters:
    ///   - format: What to write. Levels outside of its bounds are a mistake of the caller.
    ///   - sizeHint: The bytes of the whole body where they are known: the window need not be larger.
    /// - Throws: `noMemory`.
    public init(_ format: CompressionFormat, sizeHint: Int?) throws(CompressionFailure) {
        switch format {
        case .gzip(let level):
            precondition(CompressionFormat.gzipLevels.contains(level))
            engine = .gzip(try GzipEncoder(level: level))
        case .brotli(let quality):
            precondition(CompressionFormat.brotliQualities.contains(quality))
            engine = .brotli(try BrotliEncoder(quality: quality, sizeHint: sizeHint))
        }
    }

    /// Takes a part of the body and appends what it yields to `output`, which may be nothing yet.
    public mutating func encode(_ input: Span<UInt8>, into output: ByteBuffer) -> EncodeStep {
        run(input, .process, into: output)
    }

    /// Appends what makes everything taken so far readable for the client. Costs a few bytes of the ratio.
    public mutating func flush(into output: ByteBuffer) -> EncodeStep {
        run(Span(), .flush, into: output)
    }

    /// Ends the stream: appends the rest.
    public consuming func finish(into output: ByteBuffer) -> EncodeStep {
        run(Span(), .finish, into: output)
    }

    private borrowing func run(
        _ input: Span<UInt8>, _ mode: EncoderMode, into output: ByteBuffer
    ) -> EncodeStep {
        switch engine {
        case .gzip(let encoder): encoder.run(input, mode, into: output)
        case .brotli(let encoder): encoder.run(input, mode, into: output)
        }
    }
}

/// What an encoder does with what it has.
enum EncoderMode: BitwiseCopyable {
    case process, flush, finish
}
