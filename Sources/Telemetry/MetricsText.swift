public import Primitives

/// A label of a metric: a name from the code and a value from a bounded set.
public struct MetricLabel: Sendable, Equatable {
    /// The name: letters, digits and underscores.
    public var name: String
    /// The value: any text.
    public var value: String

    /// Creates a label.
    public init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}

/// Writes metrics in the text format of Prometheus, version 0.0.4, into a buffer.
///
///     metrics.family("weir_requests_total", .counter, help: "Requests by route and status.")
///     metrics.sample(7, [MetricLabel("route", "api"), MetricLabel("status", "200")])
///
/// A family's samples follow its head directly. For scrapes, not for the data plane: it builds text.
public struct MetricsText {
    /// The content type of the format.
    public static let contentType: StaticString = "text/plain; version=0.0.4; charset=utf-8"

    /// What a family measures.
    public enum Kind: Sendable {
        /// Only grows, until the process ends. Its name ends in `_total`.
        case counter
        /// Goes up and down.
        case gauge
        /// A `Histogram`.
        case histogram
    }

    /// What the values of a histogram are, and so how they are written.
    public enum Unit: Sendable {
        /// Nanoseconds, written as seconds.
        case seconds
        /// Plain numbers.
        case plain
    }

    /// Upper ends of latency steps in nanoseconds, from 100 µs to 10 s; each is exact in
    /// `Histogram.latency`.
    public static let latencyBounds: [UInt64] = [
        100_000, 250_000, 500_000, 1_000_000, 2_500_000, 5_000_000, 10_000_000, 25_000_000,
        50_000_000, 100_000_000, 250_000_000, 500_000_000, 1_000_000_000, 2_500_000_000,
        5_000_000_000, 10_000_000_000,
    ]

    private let output: ByteBuffer
    private var name = ""

    /// Writes to `output`.
    public init(to output: ByteBuffer) { self.output = output }

    /// Begins a family: its samples come next. A name may begin only one family.
    public mutating func family(_ name: String, _ kind: Kind, help: String) {
        self.name = name
        output.append("# HELP ")
        output.append(text: name)
        output.append(UInt8(ascii: " "))
        appendEscaped(help, quotes: false)
        output.append("\n# TYPE ")
        output.append(text: name)
        switch kind {
        case .counter: output.append(" counter\n")
        case .gauge: output.append(" gauge\n")
        case .histogram: output.append(" histogram\n")
        }
    }

    /// Adds a sample of the family.
    public func sample(_ value: UInt64, _ labels: [MetricLabel] = []) {
        appendSeries("", labels)
        output.append(decimal: value)
        output.append(UInt8(ascii: "\n"))
    }

    /// Adds a sample of the family that is a time, written as seconds.
    public func sample(seconds value: Nanoseconds, _ labels: [MetricLabel] = []) {
        appendSeries("", labels)
        output.append(seconds: value)
        output.append(UInt8(ascii: "\n"))
    }

    /// Adds the buckets, the sum and the count of `histogram`.
    ///
    /// - Parameters:
    ///   - histogram: The values.
    ///   - bounds: The upper ends of the buckets, ascending; `+Inf` is added.
    ///   - unit: How values and bounds are written.
    ///   - labels: Labels of the series.
    public func histogram(
        _ histogram: Histogram, bounds: [UInt64] = latencyBounds, unit: Unit = .seconds,
        _ labels: [MetricLabel] = []
    ) {
        for bound in bounds {
            appendSeries("_bucket", labels, bound: bound, unit)
            output.append(decimal: histogram.count(upTo: bound))
            output.append(UInt8(ascii: "\n"))
        }
        appendSeries("_bucket", labels + [MetricLabel("le", "+Inf")])
        output.append(decimal: histogram.count)
        output.append(UInt8(ascii: "\n"))
        appendSeries("_sum", labels)
        append(histogram.sum, unit)
        output.append(UInt8(ascii: "\n"))
        appendSeries("_count", labels)
        output.append(decimal: histogram.count)
        output.append(UInt8(ascii: "\n"))
    }

    private func appendSeries(
        _ suffix: StaticString, _ labels: [MetricLabel], bound: UInt64? = nil, _ unit: Unit = .plain
    ) {
        output.append(text: name)
        output.append(suffix)
        var separator: StaticString = "{"
        for label in labels {
            output.append(separator)
            output.append(text: label.name)
            output.append("=\"")
            appendEscaped(label.value, quotes: true)
            output.append(UInt8(ascii: "\""))
            separator = ","
        }
        if let bound {
            output.append(separator)
            output.append("le=\"")
            append(bound, unit)
            output.append(UInt8(ascii: "\""))
        }
        output.append(labels.isEmpty && bound == nil ? " " : "} ")
    }

    private func append(_ value: UInt64, _ unit: Unit) {
        switch unit {
        case .seconds: output.append(seconds: Nanoseconds(value))
        case .plain: output.append(decimal: value)
        }
    }

    /// Help text and label values keep their line: backslash and line feed are escaped, in labels quotes too.
    private func appendEscaped(_ text: String, quotes: Bool) {
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\\"): output.append("\\\\")
            case ASCII.lf: output.append("\\n")
            case UInt8(ascii: "\"") where quotes: output.append("\\\"")
            default: output.append(byte)
            }
        }
    }
}
