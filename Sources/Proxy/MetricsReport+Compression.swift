import HTTPModel
import Settings
import Telemetry

extension MetricsReport {
    /// What was encoded; nothing where the configuration does not say so.
    func appendCompression(_ text: inout MetricsText) {
        guard blueprint.settings.compression != nil else { return }
        let counts = metrics.compression
        text.family(
            "weir_compression_responses_total", .counter,
            help: "Stored answers sent in a content coding.")
        for coding in ContentCoding.allCases {
            text.sample(
                counts.sent[Int(coding.rawValue)], [MetricLabel("encoding", "\(coding.name)")])
        }
        text.family(
            "weir_compression_saved_bytes_total", .counter,
            help: "Bytes by which these were shorter.")
        text.sample(counts.saved)
        text.family(
            "weir_compression_encodings_total", .counter,
            help: "Stored answers that were encoded.")
        for coding in ContentCoding.allCases {
            text.sample(
                counts.made[Int(coding.rawValue)], [MetricLabel("encoding", "\(coding.name)")])
        }
        text.family(
            "weir_compression_encoded_bytes_total", .counter,
            help: "Bytes of these as they were before.")
        text.sample(counts.bytes)
        text.family(
            "weir_compression_failures_total", .counter,
            help: "Encodings given up for lack of memory.")
        text.sample(counts.failed)
    }
}
