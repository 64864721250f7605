extension StoredResponse {
    /// Where a byte of the body stands: in which segment, and where in it.
    ///
    /// - Parameter byte: Its number in the whole body; it must be there.
    /// - Returns: The segment's index, and the byte's in it.
    /// - Complexity: The number of segments, which are 16 KiB and more where the body is.
    public func place(of byte: Int) -> (segment: Int, offset: Int) {
        precondition(byte >= 0)
        var rest = isWhole ? byte : (parts?.position(of: byte) ?? byte)
        var segment = 0
        while rest >= body[segment].count {
            rest -= body[segment].count
            segment += 1
        }
        return (segment, rest)
    }
}
