import Primitives
import RedisWire

/// What one server of Redis says about itself (INFO).
public struct RedisFacts: Sendable, Equatable {
    /// `7.0.15`.
    public var version = ""
    /// `standalone`, `cluster` or `sentinel`.
    public var mode = ""
    /// `master` or `slave`.
    public var role = ""
    /// Whether it still reads its data.
    public var isLoading = false
    /// Bytes in use.
    public var usedMemory: UInt64 = 0
    /// Bytes it may use; 0: as many as the system has.
    public var memoryMax: UInt64 = 0
    /// What it does when they are used up.
    public var memoryPolicy = ""
    /// Replicas at it.
    public var replicas: UInt64 = 0

    /// Reads the reply of INFO; what it does not say stays empty.
    public init(info: String) {
        for line in info.split(whereSeparator: \.isNewline) {
            guard let colon = line.firstIndex(of: ":") else { continue }
            let value = String(line[line.index(after: colon)...])
            switch line[..<colon] {
            case "redis_version": version = value
            case "redis_mode": mode = value
            case "role": role = value
            case "loading": isLoading = value != "0"
            case "used_memory": usedMemory = UInt64(value) ?? 0
            case "maxmemory": memoryMax = UInt64(value) ?? 0
            case "maxmemory_policy": memoryPolicy = value
            case "connected_slaves": replicas = UInt64(value) ?? 0
            default: continue
            }
        }
    }
}
