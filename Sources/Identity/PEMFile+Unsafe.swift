import COpenSSL

/// The blocks of a PEM file (RFC 7468), decoded.
enum PEMFile {
    /// One block: the words after BEGIN, and what stands in it.
    struct Block {
        var label: String
        var bytes: [UInt8]
    }

    /// Reads all blocks; `nil` when one of them is damaged or there are too many.
    static func blocks(of file: [UInt8]) -> [Block]? {
        unsafe file.withUnsafeBufferPointer { source in
            // The BIO reads `source` in place and is freed before it ends.
            guard let bio = unsafe BIO_new_mem_buf(source.baseAddress, Int32(source.count)) else {
                return nil
            }
            defer { unsafe BIO_free_all(bio) }
            var blocks: [Block] = []
            while true {
                var block = unsafe weir_pem()
                switch unsafe weir_pem_next(bio, &block) {
                case 1:
                    // Filled by the call above; everything is copied out before it is freed.
                    if let name = unsafe block.name, let bytes = unsafe block.bytes {
                        let content = unsafe UnsafeBufferPointer(start: bytes, count: block.count)
                        unsafe blocks.append(
                            Block(label: String(cString: name), bytes: Array(content)))
                    }
                    unsafe weir_pem_free(&block)
                    guard blocks.count <= IdentityBounds.keysMax else { return nil }
                case 0:
                    return blocks
                default:
                    return nil
                }
            }
        }
    }
}
