import BinaryKit

/// Several processes with the same configuration while `body` runs; `redis` is the value of `redis:`.
func fleet<Result>(
    of count: Int, _ origin: RawOrigin, _ redis: String, _ lines: String,
    _ body: ([RunningWeir]) throws -> Result
) throws -> Result {
    func more(_ weirs: [RunningWeir]) throws -> Result {
        if weirs.count == count { return try body(weirs) }
        return try Weir.run(
            configuration(origin, "workers: 1\nredis: \(redis)\nlog: {sample: 0%}\n\(lines)")
        ) { weir in try more(weirs + [weir]) }
    }
    return try more([])
}
