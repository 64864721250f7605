internal import CLinux

/// What a program asks of the machine besides its network: files, environment, processors.
public enum Host {
    /// Gives pages that hold only freed memory back to the system: what a burst has left between blocks that are in
    /// use. A millisecond or two while there is nothing to give, then 0.2 ms for each megabyte.
    public static func returnFreedMemory() { malloc_trim(0) }

    /// The bytes of a file, at most `limit` of them; throws the system's error.
    public static func readFile(_ path: String, limit: Int) throws(HostError) -> [UInt8] {
        let fd = unsafe path.withCString { unsafe weir_open_for_reading($0) }
        guard fd >= 0 else { throw HostError(number: weir_errno()) }
        defer { _ = CLinux.close(fd) }
        var bytes: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 64 << 10)
        while bytes.count < limit {
            let n = unsafe part.withUnsafeMutableBytes { buffer in
                unsafe CLinux.read(fd, buffer.baseAddress, buffer.count)
            }
            if n < 0 { throw HostError(number: weir_errno()) }
            if n == 0 { break }
            bytes.append(contentsOf: part[0..<n])
        }
        return bytes
    }

    /// Puts `bytes` in the place of the file at `path` in one step, readable by its owner alone: whoever reads
    /// sees the old content or the new one. Throws the system's error, and leaves the old file then.
    public static func replaceFile(_ path: String, _ bytes: [UInt8]) throws(HostError) {
        let temporary = path + ".new"
        let fd = unsafe temporary.withCString { unsafe weir_create_for_writing($0) }
        guard fd >= 0 else { throw HostError(number: weir_errno()) }
        var written = 0
        while written < bytes.count {
            let n = unsafe bytes.withUnsafeBytes { buffer in
                unsafe CLinux.write(
                    fd, buffer.baseAddress?.advanced(by: written), buffer.count - written)
            }
            guard n > 0 else {
                let error = HostError(number: weir_errno())
                _ = CLinux.close(fd)
                _ = unsafe temporary.withCString { unsafe CLinux.unlink($0) }
                throw error
            }
            written += n
        }
        _ = CLinux.close(fd)
        let renamed = unsafe temporary.withCString { from in
            unsafe path.withCString { to in unsafe CLinux.rename(from, to) }
        }
        guard renamed == 0 else { throw HostError(number: weir_errno()) }
    }

    /// How the file at `path` looks now, through symbolic links; throws the system's error.
    public static func fileStamp(_ path: String) throws(HostError) -> FileStamp {
        var status = stat()
        // The call fills the structure when it returns 0.
        guard unsafe path.withCString({ unsafe stat($0, &status) }) == 0 else {
            throw HostError(number: weir_errno())
        }
        return FileStamp(
            modified: Int64(status.st_mtim.tv_sec) &* 1_000_000_000
                &+ Int64(status.st_mtim.tv_nsec),
            size: Int64(status.st_size), inode: UInt64(status.st_ino),
            isRegular: status.st_mode & mode_t(S_IFMT) == mode_t(S_IFREG))
    }

    /// The environment variables of the process.
    public static var environment: [String: String] {
        var variables: [String: String] = [:]
        var index: Int32 = 0
        // The list ends with a null pointer; nothing in this process changes it.
        while let entry = unsafe weir_environment(index) {
            let text = unsafe String(cString: entry)
            if let sign = text.firstIndex(of: "=") {
                variables[String(text[..<sign])] = String(text[text.index(after: sign)...])
            }
            index += 1
        }
        return variables
    }

    /// The processors the process may run on, at least 1.
    public static var processors: Int { max(1, Int(weir_processors())) }

    /// Raises the number of descriptors the process may open as far as the system lets it; returns it.
    public static func raiseDescriptorLimit() -> UInt64 { weir_raise_descriptor_limit() }

    /// Writes `text` to the standard error or output, for people.
    public static func write(_ text: String, toError: Bool = false) {
        Kernel().writeAll(toError ? 2 : 1, Array(text.utf8))
    }

    /// Ends the process.
    public static func exit(_ status: Int32) -> Never { CLinux.exit(status) }

    /// SIGHUP, SIGINT and SIGTERM, by their numbers.
    public static let (hangUp, interrupt, terminate): (Int32, Int32, Int32) = (
        SIGHUP, SIGINT, SIGTERM
    )

    /// Makes writes to closed pipes errors instead of signals.
    public static func ignoreBrokenPipes() { weir_ignore_broken_pipes() }
}

/// A failed call to the system.
public struct HostError: Error, Sendable, BitwiseCopyable {
    /// The system's error number.
    public let number: Int32
    /// Whether there is no such file.
    public var isMissing: Bool { number == ENOENT }
    /// The system's words for it.
    public var text: String { unsafe String(cString: strerror(number)) }

    /// Creates the error of a system's error number.
    public init(number: Int32) { self.number = number }
}

/// How a file looks without being read: two stamps that differ mean that it was changed or replaced.
public struct FileStamp: Sendable, Hashable, BitwiseCopyable {
    /// When it was modified, in nanoseconds of the file system's clock.
    public var modified: Int64
    /// Its bytes.
    public var size: Int64
    /// Its number in its file system: another one is another file.
    public var inode: UInt64
    /// Whether it is a file proper: no directory, pipe or device.
    public var isRegular: Bool

    /// Creates a stamp.
    public init(modified: Int64, size: Int64, inode: UInt64, isRegular: Bool = true) {
        self.modified = modified
        self.size = size
        self.inode = inode
        self.isRegular = isRegular
    }
}
