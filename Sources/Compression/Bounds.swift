/// The bounds of compression.
enum Bounds {
    /// Bytes of room an encoder is given at once.
    static let room = 16 << 10
    /// The base-2 logarithms of brotli's window: 64 KiB to 1 MiB. The format allows 16 MiB, which every
    /// encoder and every client would have to hold.
    static let brotliWindow = 16...20
    /// The same of the block that brotli encodes at once, which bounds what one call may take.
    static let brotliBlock = 16
}
