import Caching
import Compression
import EventLoop
import HTTPModel
import Primitives

/// Makes one encoded variant of a stored answer, behind the requests: a slice of the body in each turn of the
/// loop, one answer at a time on a worker. The store keeps what comes of it.
final class EncodingTask {
    private let worker: WorkerContext
    private let stored: StoredResponse
    private let coding: ContentCoding
    private let output = ByteBuffer(capacity: 16 << 10)
    private var body: [[UInt8]] = []

    private init(_ worker: WorkerContext, _ stored: StoredResponse, _ coding: ContentCoding) {
        self.worker = worker
        self.stored = stored
        self.coding = coding
    }

    /// Begins to make the variant of `stored` that `coding` names, unless somebody has, or this worker makes
    /// another one.
    static func start(
        on worker: WorkerContext, _ stored: StoredResponse, _ coding: ContentCoding,
        _ rules: CacheRules
    ) {
        guard let policy = rules.compression, !worker.isEncoding, stored.claim(coding) else {
            return
        }
        worker.isEncoding = true
        let task = EncodingTask(worker, stored, coding)
        worker.loop.start {
            await task.run(task.format(policy))
            worker.isEncoding = false
        }
    }

    private func format(_ policy: CompressionPolicy) -> CompressionFormat {
        switch coding {
        case .br: .brotli(quality: policy.brotliQuality)
        case .gzip: .gzip(level: policy.gzipLevel)
        }
    }

    private func run(_ format: CompressionFormat) async {
        guard await encode(format) else {
            // There may be memory again for the next one who asks.
            stored.disclaim(coding)
            worker.metrics.compression.failed &+= 1
            return
        }
        let isSmaller = body.reduce(0) { $0 + $1.count } < stored.bodyCount
        let variant = EncodedVariant(coding, of: stored.head, body: isSmaller ? body : [])
        _ = worker.shared.cache.attach(variant, to: stored, at: worker.loop.now)
        worker.metrics.compression.noteMade(coding, bytes: stored.bodyCount)
    }

    private func encode(_ format: CompressionFormat) async -> Bool {
        guard var encoder = try? StreamEncoder(format, sizeHint: stored.bodyCount) else {
            return false
        }
        var room = Bounds.encodedSlice
        for segment in stored.body {
            var start = 0
            while start < segment.count {
                if room == 0 {
                    await worker.loop.sleep(for: .zero)
                    room = Bounds.encodedSlice
                }
                let end = min(segment.count, start + room)
                let slice = segment.span.extracting(start..<end)
                guard encoder.encode(slice, into: output) == .needsMore else { return false }
                room -= end - start
                start = end
                if output.count >= Bounds.encodedSegment { takeOutput() }
            }
        }
        guard encoder.finish(into: output) == .done else { return false }
        takeOutput()
        return true
    }

    private func takeOutput() {
        if !output.isEmpty { body.append(output.prefix(output.count)) }
        output.removeAll()
    }
}
