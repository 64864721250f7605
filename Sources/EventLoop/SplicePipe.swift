/// A pipe through which a body passes from one socket to another inside the system, without being copied.
///
/// It belongs to one loop. Bytes are moved in when it is empty, and then all out. Whoever made it closes it.
public final class SplicePipe {
    /// Bytes that were moved in and not out yet.
    public internal(set) var count = 0
    /// Whether it can be used for another body.
    public var isEmpty: Bool { count == 0 }

    let readEnd: Int32
    let writeEnd: Int32
    private let kernel: Kernel

    /// Creates an empty pipe; `nil` when the process is out of descriptors or may have no more pipes.
    public init?(_ kernel: Kernel) {
        self.kernel = kernel
        (readEnd, writeEnd) = kernel.createPipe()
        guard readEnd >= 0 else { return nil }
    }

    /// Closes it, with what is in it.
    public func close() {
        kernel.close(readEnd)
        kernel.close(writeEnd)
    }
}
