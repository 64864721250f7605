public import Primitives

extension Revalidation {
    /// Appends the fields that ask for what is missing of a stored answer (RFC 9111 §3.3): its range, and If-Range, so
    /// that the origin sends a new version whole.
    ///
    /// - Parameters:
    ///   - gap: From the first to the last missing byte.
    ///   - head: The stored answer's head.
    ///   - buffer: The request to the origin, at the beginning of a field line.
    public static func appendCompletion(
        of gap: BodySlice, _ head: CachedHead, to buffer: ByteBuffer
    ) {
        buffer.append("Range: bytes=")
        buffer.append(decimal: UInt64(gap.start))
        buffer.append(UInt8(ascii: "-"))
        buffer.append(decimal: UInt64(gap.end - 1))
        buffer.append("\r\nIf-Range: ")
        guard let validator = head.etagRange ?? head.lastModifiedRange else {
            preconditionFailure("parts without a validator are not stored")
        }
        let bytes = head.bytes
        buffer.append(bytes.span(validator))
        buffer.append("\r\n")
    }
}
