public import HTTPModel
public import Primitives

/// The head of an answer, prepared to be sent again and again.
///
/// A reference, so that handing it on costs one retain and not one for each of its blocks.
public final class CachedHead: Sendable {
    /// The primary key.
    public let key: [UInt8]
    /// The secondary key.
    public let variant: VariantKey
    /// The status.
    public let status: Status
    /// Status line and end-to-end fields, each with its line end, without the empty line: the proxy appends
    /// Age, Cache-Status, its own fields and the empty line. Content-Length is there when it is known.
    public let bytes: [UInt8]
    /// Fields, each with its line end, that are kept for merging with a later 304 and never sent: those for this
    /// cache alone (RFC 9213 §2.2, `origin_ttl`).
    let unsent: [UInt8]
    /// Fields, each with its line end, for the client alone whose request led to this answer; none once it is
    /// stored (RFC 9111 §5.2.2.4, §5.2.2.7, `set_cookie: strip`).
    public let personal: [UInt8]
    /// The length of the body, or `nil` while only its end will tell.
    public let contentLength: UInt64?
    /// Where the ETag's value stands in `bytes`.
    public let etagRange: ByteRange?
    /// Where Last-Modified's value stands in `bytes`.
    public let lastModifiedRange: ByteRange?
    /// Last-Modified in seconds since 1970, when it can be read.
    public let lastModifiedSeconds: Int64?
    /// What the origin says of ranges (RFC 9110 §14.3).
    let acceptRanges: AcceptRanges
    /// Date in seconds since 1970.
    public let date: Int64
    /// How long it may be used.
    public let lifetime: Lifetime
    /// Its age on arrival.
    public let initialAge: Nanoseconds
    /// When it was asked for.
    public let requested: MonotonicTime
    /// When it arrived.
    public let received: MonotonicTime
    /// The measured time of the origin, for early refresh: until the head, then until the whole answer.
    public let delta: Nanoseconds
    /// By which tags it can be purged.
    public let tags: CacheTags
    /// Whether it may be kept.
    public let isStorable: Bool
    /// Whether the answer may be sent in a content coding (`CompressionPolicy`); its Vary says so then.
    public let isEncodable: Bool
    /// Why it is not kept, where a rule said so.
    public let refusal: CacheRefusal?

    /// Prepares the head of an answer that `StoreDecision` lets in.
    ///
    /// - Parameters:
    ///   - key: The primary key.
    ///   - request: The request as the client sent it; Vary is read against it.
    ///   - response: The head as it came from the origin.
    ///   - lifetime: The decision's lifetime.
    ///   - times: When it was asked for and received.
    ///   - policy: The route's policy.
    ///   - tags: By which tags it can be purged.
    ///   - compression: In which codings the cache itself offers answers; the origin was asked for none.
    public convenience init(
        key: [UInt8], request: borrowing RequestHead, response: borrowing ResponseHead,
        lifetime: Lifetime, times: FetchTimes, policy: borrowing CachePolicy = CachePolicy(),
        tags: CacheTags = CacheTags(), compression: CompressionPolicy? = nil
    ) {
        self.init(
            key: key,
            variant: VariantKey(
                response: response.fields, request: request.fields,
                encodes: compression != nil),
            response: response, lifetime: lifetime, times: times, isStorable: true,
            isEncodable: compression?.admits(response) ?? false, policy: policy, tags: tags)
    }

    /// Prepares the head of an answer that only passes through a fill to the client that asked for it: its
    /// cookies, Age and limit fields stay. `refusal` is why it is not stored.
    public convenience init(
        passing response: borrowing ResponseHead, times: FetchTimes, refusal: CacheRefusal? = nil,
        policy: borrowing CachePolicy = CachePolicy()
    ) {
        let directives = CacheDirectives(ofResponse: response.fields)
        let lifetime = Lifetime(
            of: response, directives: directives, policy: CachePolicy(), times: times)
        self.init(
            key: [], variant: .none, response: response, lifetime: lifetime, times: times,
            isStorable: false, refusal: refusal, policy: policy)
    }

    init(
        key: [UInt8], variant: VariantKey, response: borrowing ResponseHead, lifetime: Lifetime,
        times: FetchTimes, isStorable: Bool, isEncodable: Bool = false,
        refusal: CacheRefusal? = nil, policy: borrowing CachePolicy, tags: CacheTags = CacheTags()
    ) {
        var length: UInt64?
        switch response.framing {
        case .none: length = 0
        case .length(let count): length = count
        case .chunked, .untilClose: break
        }
        if response.status.forbidsBody { length = 0 }
        var writer = HeadWriter(
            stores: isStorable, variesByCoding: isEncodable, policy: policy)
        writer.write(response, contentLength: length, receivedAt: times.received.wall.epochSeconds)
        self.key = key
        self.variant = variant
        status = response.status
        bytes = writer.bytes
        unsent = writer.unsent
        personal = writer.personal
        contentLength = length
        etagRange = writer.etag
        lastModifiedRange = writer.lastModified
        let written = writer.bytes
        lastModifiedSeconds = writer.lastModified.flatMap { range in
            HTTPDate.parse(written.span(range), now: times.received.wall.epochSeconds)
        }
        acceptRanges = AcceptRanges(of: response.fields)
        date = times.date(of: response.fields)
        self.lifetime = lifetime
        initialAge = times.initialAge(of: response.fields)
        requested = times.requested
        received = times.received.monotonic
        delta = times.delay
        self.tags = tags
        self.isStorable = isStorable
        self.isEncodable = isEncodable
        self.refusal = refusal
    }

    /// The same head once the body has ended: its length is written, and the origin's time is complete.
    init(_ head: CachedHead, bodyCount: Int, finished: MonotonicTime) {
        var bytes = head.bytes
        if head.contentLength == nil {
            HeadWriter.appendContentLength(UInt64(bodyCount), to: &bytes)
        }
        key = head.key
        variant = head.variant
        status = head.status
        self.bytes = bytes
        unsent = head.unsent
        personal = []
        contentLength = UInt64(bodyCount)
        etagRange = head.etagRange
        lastModifiedRange = head.lastModifiedRange
        lastModifiedSeconds = head.lastModifiedSeconds
        acceptRanges = head.acceptRanges
        date = head.date
        lifetime = head.lifetime
        initialAge = head.initialAge
        requested = head.requested
        received = head.received
        delta = finished - head.requested
        tags = head.tags
        isStorable = head.isStorable
        isEncodable = head.isEncodable
        refusal = head.refusal
    }

    /// A head that another process prepared (`SharedForm`); it is storable, and nothing of it is personal.
    init(
        shared fields: SharedFields, status: Status, key: [UInt8], variant: VariantKey,
        unsent: [UInt8], contentLength: UInt64, acceptRanges: AcceptRanges, date: Int64,
        lifetime: Lifetime, initialAge: Nanoseconds, requested: MonotonicTime,
        received: MonotonicTime, delta: Nanoseconds, tags: CacheTags, isEncodable: Bool
    ) {
        self.key = key
        self.variant = variant
        self.status = status
        bytes = fields.bytes
        self.unsent = unsent
        personal = []
        self.contentLength = contentLength
        etagRange = fields.etag
        lastModifiedRange = fields.lastModified
        let written = fields.bytes
        lastModifiedSeconds = fields.lastModified.flatMap { range in
            HTTPDate.parse(written.span(range), now: UInt64(clamping: date))
        }
        self.acceptRanges = acceptRanges
        self.date = date
        self.lifetime = lifetime
        self.initialAge = initialAge
        self.requested = requested
        self.received = received
        self.delta = delta
        self.tags = tags
        isStorable = true
        self.isEncodable = isEncodable
        refusal = nil
    }

    /// Appends `bytes` to a head that is being written.
    public func append(to buffer: ByteBuffer) {
        let bytes = self.bytes
        buffer.append(bytes.span)
    }

    /// The head as fields again, for merging with another one.
    func parsed() -> ResponseHead {
        var head = ResponseHead()
        head.status = status
        head.framing = contentLength.map { .length($0) } ?? .chunked
        var bytes = self.bytes
        let unsent = self.unsent
        bytes.append(unsent.span)
        head.fields.load(bytes.span)
        let all = bytes.span
        var start = 0
        while let end = all.firstIndex(of: ASCII.cr, from: start) {
            if start == 0 {
                // `HTTP/1.1 200 ` is 13 bytes.
                head.reason = ByteRange(start: min(13, end), count: max(0, end - 13))
            } else if let colon = all.firstIndex(of: UInt8(ascii: ":"), from: start), colon < end {
                head.fields.record(
                    name: ByteRange(start: start, count: colon - start),
                    value: ByteRange(start: colon + 2, count: end - colon - 2))
            }
            start = end + 2
        }
        return head
    }
}
