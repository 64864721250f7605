import Glibc

extension Seeds {
    /// The number in the environment's `name`.
    static func environment(_ name: String) -> UInt64? {
        // Copied at once; nothing here changes the environment.
        guard let text = unsafe getenv(name) else { return nil }
        return unsafe UInt64(String(cString: text))
    }
}
