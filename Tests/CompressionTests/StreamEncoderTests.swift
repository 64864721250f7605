import Compression
import Primitives
import TestKit
import Testing

struct StreamEncoderTests {
    static let formats: [CompressionFormat] =
        CompressionFormat.gzipLevels.map { .gzip(level: $0) }
        + CompressionFormat.brotliQualities.map { .brotli(quality: $0) }
    static let usual: [CompressionFormat] = [.gzip(level: 6), .brotli(quality: 5)]

    @Test(arguments: formats)
    func `what is encoded at any level is read back as it was`(format: CompressionFormat) throws {
        let body = Body.words(60_000, seed: 1)
        let coded = try #require(encoded(body, format, parts: [body.count]))
        #expect(decoded(coded, format) == body)
        #expect(coded.count < body.count)
    }

    @Test(arguments: usual, 0..<30)
    func `parts of any size give the same body`(format: CompressionFormat, seed: Int) throws {
        var random = SeededRandom(seed: UInt64(seed))
        let size = Int(random.next() % 60_000)
        let body = seed % 3 == 0 ? Body.noise(size, &random) : Body.words(size, seed: UInt64(seed))
        var parts: [Int] = []
        var left = body.count
        while left > 0 {
            let part = min(left, 1 + Int(random.next() % [50, 1000, 20_000, 200_000][seed % 4]))
            parts.append(part)
            left -= part
        }
        let hint = seed % 2 == 0 ? body.count : nil
        let coded = try #require(encoded(body, format, parts: parts, sizeHint: hint))
        #expect(decoded(coded, format) == body)
    }

    @Test(arguments: usual)
    func `an empty body is a whole stream`(format: CompressionFormat) throws {
        let coded = try #require(encoded([], format, parts: []))
        #expect(!coded.isEmpty)
        #expect(decoded(coded, format) == [])
    }

    @Test(arguments: usual)
    func `a large body is encoded without growing the output beyond what it yields`(
        format: CompressionFormat
    ) throws {
        let body = Body.words(3 << 20, seed: 7)
        let coded = try #require(
            encoded(body, format, parts: Array(repeating: 1 << 20, count: 3)))
        #expect(decoded(coded, format) == body)
        #expect(coded.count < body.count / 2)
    }

    @Test(arguments: usual)
    func `noise grows by little`(format: CompressionFormat) throws {
        var random = SeededRandom(seed: 3)
        let body = Body.noise(1 << 18, &random)
        let coded = try #require(encoded(body, format, parts: [body.count]))
        #expect(coded.count < body.count + 1024)
    }

    @Test(arguments: usual)
    func `after a flush the client can read all that was taken`(format: CompressionFormat) throws {
        var encoder = try StreamEncoder(format, sizeHint: nil)
        let output = ByteBuffer(capacity: 64)
        var sent: [UInt8] = []
        for seed in 0..<5 {
            let part = Body.words(3000, seed: UInt64(seed))
            sent += part
            #expect(encoder.encode(part.span, into: output) == .needsMore)
            #expect(encoder.flush(into: output) == .needsMore)
            #expect(beginning(output.prefix(output.count), format) == sent)
        }
        #expect(encoder.finish(into: output) == .done)
        #expect(decoded(output.prefix(output.count), format) == sent)
    }

    @Test
    func `a flush of nothing yields nothing new to read, and does no harm`() throws {
        for format in Self.usual {
            var encoder = try StreamEncoder(format, sizeHint: nil)
            let output = ByteBuffer(capacity: 64)
            for _ in 0..<3 { #expect(encoder.flush(into: output) == .needsMore) }
            #expect(encoder.finish(into: output) == .done)
            #expect(decoded(output.prefix(output.count), format) == [])
        }
    }

    @Test
    func `gzip has no time in its head: equal bodies give equal bytes`() throws {
        let body = Body.words(5000, seed: 2)
        let coded = try #require(encoded(body, .gzip(level: 6), parts: [5000]))
        #expect(Array(coded[..<3]) == [0x1F, 0x8B, 8])
        #expect(Array(coded[4..<8]) == [0, 0, 0, 0])
        #expect(encoded(body, .gzip(level: 6), parts: [5000]) == coded)
    }

    @Test
    func `a higher level gives fewer bytes`() throws {
        let body = Body.words(200_000, seed: 5)
        let fast = try #require(encoded(body, .gzip(level: 1), parts: [body.count]))
        let small = try #require(encoded(body, .gzip(level: 9), parts: [body.count]))
        #expect(small.count < fast.count)
        let quick = try #require(encoded(body, .brotli(quality: 1), parts: [body.count]))
        let slow = try #require(encoded(body, .brotli(quality: 9), parts: [body.count]))
        #expect(slow.count < quick.count)
    }
}

// MARK: Helpers

private func encoded(
    _ body: [UInt8], _ format: CompressionFormat, parts: [Int], sizeHint: Int? = nil
) -> [UInt8]? {
    guard var encoder = try? StreamEncoder(format, sizeHint: sizeHint) else { return nil }
    let output = ByteBuffer(capacity: 64)
    var start = 0
    for part in parts {
        let step = encoder.encode(body.span.extracting(start..<start + part), into: output)
        guard step == .needsMore else { return nil }
        start += part
    }
    guard start == body.count, encoder.finish(into: output) == .done else { return nil }
    return output.prefix(output.count)
}

private func decoded(_ bytes: [UInt8], _ format: CompressionFormat) -> [UInt8]? {
    switch format {
    case .gzip: Decoding.gunzip(bytes)
    case .brotli: Decoding.unbrotli(bytes)
    }
}

private func beginning(_ bytes: [UInt8], _ format: CompressionFormat) -> [UInt8]? {
    switch format {
    case .gzip: Decoding.gunzip(beginning: bytes)
    case .brotli: Decoding.unbrotli(beginning: bytes)
    }
}

enum Body {
    /// Text of a few hundred words in random order: it compresses as prose does.
    static func words(_ count: Int, seed: UInt64) -> [UInt8] {
        var random = SeededRandom(seed: seed)
        var text: [UInt8] = []
        text.reserveCapacity(count + 16)
        while text.count < count {
            text += "item-\(random.next() % 300) ".utf8
        }
        return Array(text[..<count])
    }

    static func noise(_ count: Int, _ random: inout SeededRandom) -> [UInt8] {
        (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    }
}
