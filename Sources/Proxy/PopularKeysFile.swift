import Primitives
import Settings

/// The text of the file in which popular keys outlive a restart.
///
///     weir-popular 1
///     4711␉api.example.com␉/reports?days=30␉accept-encoding: gzip
///     end 1 9c0f2d55c1a86e01
///
/// A line holds a score, host and target, and the fields the answer varies by. The last line holds the number of
/// the others and their checksum (FNV-1a, 64 bits): a file that was cut off or changed is not used at all.
enum PopularKeysFile {
    /// Why a file is not used.
    enum Fault: Error, Equatable {
        /// It does not begin as one of these, or was written by a newer version.
        case foreign
        /// It was cut off or changed.
        case damaged
    }

    private static let first = "weir-popular 1"

    /// Writes the keys, scores rounded up to whole numbers.
    static func write(_ keys: [(request: WarmRequest, score: Double)]) -> [UInt8] {
        var lines: [UInt8] = []
        for (request, score) in keys {
            lines += Array("\(UInt64(min(score.rounded(.up), 1e15)))\t".utf8)
            lines += text(of: request)
            lines.append(ASCII.lf)
        }
        let end = "end \(keys.count) \(String(checksum(lines.span), radix: 16))\n"
        return Array("\(first)\n".utf8) + lines + Array(end.utf8)
    }

    /// Reads what `write` wrote.
    static func read(
        _ bytes: [UInt8]
    ) throws(Fault) -> [(request: WarmRequest, score: Double)] {
        let head = Array("\(first)\n".utf8)
        guard bytes.starts(with: head) else { throw .foreign }
        guard bytes.last == ASCII.lf, bytes.count > head.count,
            let lastLine = bytes.dropLast().lastIndex(of: ASCII.lf)
        else { throw .damaged }
        // The line feed may be that of the first line: then there are no keys.
        let body = bytes[head.count..<max(lastLine + 1, head.count)]
        let end = String(decoding: bytes[(lastLine + 1)...].dropLast(), as: UTF8.self)
        let words = end.split(separator: " ")
        let lines = body.split(separator: ASCII.lf)
        guard words.count == 3, words[0] == "end", Int(words[1]) == lines.count,
            UInt64(words[2], radix: 16) == checksum(Array(body).span)
        else { throw .damaged }
        var keys: [(request: WarmRequest, score: Double)] = []
        for line in lines.prefix(Bounds.popularKeys) {
            guard let key = key(String(decoding: line, as: UTF8.self)) else { throw .damaged }
            keys.append(key)
        }
        return keys
    }

    private static func key(_ line: String) -> (request: WarmRequest, score: Double)? {
        let parts = line.split(
            separator: "\t", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let score = UInt64(parts[0]), let request = request(in: parts[1])
        else { return nil }
        return (request, Double(score))
    }

    /// A request as text, also in Redis: host, target and fields, with tabs between them.
    static func text(of request: WarmRequest) -> [UInt8] {
        let fields = request.fields.map { "\($0.name): \($0.value)" }
        return Array(([request.host, request.target] + fields).joined(separator: "\t").utf8)
    }

    /// Reads such a text; `nil` when it is none.
    static func request(in text: Substring) -> WarmRequest? {
        let parts = text.split(separator: "\t", omittingEmptySubsequences: false)
        guard parts.count >= 2, !parts[0].isEmpty, parts[1].hasPrefix("/") else { return nil }
        var request = WarmRequest(host: String(parts[0]), target: String(parts[1]))
        for field in parts.dropFirst(2) {
            guard let colon = field.firstIndex(of: ":") else { return nil }
            request.fields.append(
                WarmRequest.Field(
                    name: String(field[..<colon]),
                    value: String(field[colon...].dropFirst(2))))
        }
        return request
    }

    private static func checksum(_ bytes: Span<UInt8>) -> UInt64 {
        var sum: UInt64 = 0xCBF2_9CE4_8422_2325
        for i in bytes.indices { sum = (sum ^ UInt64(bytes[i])) &* 0x0000_0100_0000_01B3 }
        return sum
    }
}
