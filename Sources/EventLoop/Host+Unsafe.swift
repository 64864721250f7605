internal import CLinux

/// What a program asks of the machine besides its network: files, environment, processors.
public enum Host {
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
    /// The system's words for it.
    public var text: String { unsafe String(cString: strerror(number)) }
}
