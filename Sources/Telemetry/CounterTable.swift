/// Counters in rows and columns: requests by route and status, decisions by limit and outcome.
///
/// Both label sets are fixed by the configuration, so no client can make the table grow. Each worker
/// counts in its own; a scrape merges them. `add` neither searches nor allocates.
public struct CounterTable: Sendable, Equatable {
    /// The number of rows.
    public let rows: Int
    /// The number of columns.
    public let columns: Int
    @usableFromInline var counts: [UInt64]

    /// Creates a table of zeros.
    public init(rows: Int, columns: Int) {
        precondition(rows >= 0)
        precondition(columns >= 0)
        self.rows = rows
        self.columns = columns
        counts = Array(repeating: 0, count: rows * columns)
    }

    /// The counter at a row and a column.
    public subscript(row: Int, column: Int) -> UInt64 { counts[index(row, column)] }

    /// Adds `n` to a counter; it wraps after 2⁶⁴, as Prometheus expects of a reset.
    @inlinable
    @inline(__always)
    public mutating func add(_ n: UInt64 = 1, row: Int, column: Int) {
        counts[index(row, column)] &+= n
    }

    /// Takes 1 from a counter that tells how many there are now; 0 stays 0.
    public mutating func subtract(row: Int, column: Int) {
        let index = index(row, column)
        if counts[index] > 0 { counts[index] -= 1 }
    }

    /// Adds the counters of `other`, of the same shape.
    public mutating func merge(_ other: CounterTable) {
        precondition(rows == other.rows)
        precondition(columns == other.columns)
        for i in counts.indices { counts[i] &+= other.counts[i] }
    }

    @inlinable
    @inline(__always)
    func index(_ row: Int, _ column: Int) -> Int {
        precondition(row >= 0 && row < rows)
        precondition(column >= 0 && column < columns)
        // Below the number of counters.
        return row &* columns &+ column
    }
}
