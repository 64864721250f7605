import CBrotli
import CZlib

/// Reads content codings back, so that tests see what a client would.
public enum Decoding {
    /// The text of exactly one gzip stream (RFC 1952) that is whole; `nil` when it is not.
    public static func gunzip(_ bytes: [UInt8]) -> [UInt8]? {
        guard let (text, isWhole) = inflated(bytes), isWhole else { return nil }
        return text
    }

    /// What a client can read of the beginning of a gzip stream; `nil` when it is damaged.
    public static func gunzip(beginning bytes: [UInt8]) -> [UInt8]? { inflated(bytes)?.0 }

    /// The text of exactly one brotli stream (RFC 7932) that is whole; `nil` when it is not.
    public static func unbrotli(_ bytes: [UInt8]) -> [UInt8]? {
        guard let (text, isWhole) = unbrotlied(bytes), isWhole else { return nil }
        return text
    }

    /// What a client can read of the beginning of a brotli stream; `nil` when it is damaged.
    public static func unbrotli(beginning bytes: [UInt8]) -> [UInt8]? { unbrotlied(bytes)?.0 }

    private static func inflated(_ bytes: [UInt8]) -> ([UInt8], isWhole: Bool)? {
        var stream = unsafe z_stream()
        guard unsafe weir_gunzip_begin(&stream) == Z_OK else { return nil }
        defer { unsafe inflateEnd(&stream) }
        var text: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 1 << 16)
        // Both blocks outlive the calls that are given their addresses.
        return unsafe bytes.withUnsafeBufferPointer { input in
            unsafe stream.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
            unsafe stream.avail_in = UInt32(input.count)
            while true {
                var result = Z_OK
                let count = unsafe block.withUnsafeMutableBufferPointer { room in
                    unsafe stream.next_out = room.baseAddress
                    unsafe stream.avail_out = UInt32(room.count)
                    result = unsafe inflate(&stream, Z_NO_FLUSH)
                    return unsafe room.count - Int(stream.avail_out)
                }
                text += block[..<count]
                switch result {
                case Z_STREAM_END: return unsafe (text, stream.avail_in == 0)
                case Z_OK: continue
                case Z_BUF_ERROR: return (text, false)
                default: return nil
                }
            }
        }
    }

    private static func unbrotlied(_ bytes: [UInt8]) -> ([UInt8], isWhole: Bool)? {
        guard let state = unsafe BrotliDecoderCreateInstance(nil, nil, nil) else { return nil }
        defer { unsafe BrotliDecoderDestroyInstance(state) }
        var text: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 1 << 16)
        // Both blocks outlive the calls that are given their addresses.
        return unsafe bytes.withUnsafeBufferPointer { input in
            var next = input.baseAddress
            var left = input.count
            while true {
                var result = BROTLI_DECODER_RESULT_ERROR
                let count = unsafe block.withUnsafeMutableBufferPointer { output in
                    var room = output.count
                    var place = output.baseAddress
                    result = unsafe BrotliDecoderDecompressStream(
                        state, &left, &next, &room, &place, nil)
                    return output.count - room
                }
                text += block[..<count]
                switch result {
                case BROTLI_DECODER_RESULT_SUCCESS: return (text, left == 0)
                case BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT: continue
                case BROTLI_DECODER_RESULT_NEEDS_MORE_INPUT: return (text, false)
                default: return nil
                }
            }
        }
    }
}
