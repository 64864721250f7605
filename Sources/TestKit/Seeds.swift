/// Which seeds a simulation test runs.
public enum Seeds {
    /// The seeds 1 … `count`; `WEIR_SEEDS` in the environment says how many instead, `WEIR_SEED`
    /// which one alone.
    public static func upTo(_ count: Int) -> [UInt64] {
        if let one = environment("WEIR_SEED") { return [one] }
        return Array(1...(environment("WEIR_SEEDS") ?? UInt64(count)))
    }
}
