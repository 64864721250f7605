internal import CHiredis
import Primitives

/// Why a stream of replies cannot be read on.
public enum ReplyFailure: Error, Sendable, Equatable, BitwiseCopyable {
    /// It is not RESP 2, or arrays lie deeper than seven.
    case malformed
    /// A reply is beyond its bounds.
    case tooLarge
}

/// Reads replies out of the bytes of one connection with hiredis' reader.
///
///     bytes → feed → [ hiredis ] → one call for each element → [ unfinished arrays ] → next → RedisReply
///
/// hiredis keeps bytes until they are a whole element; what it finds becomes a value of ours at once. It stops at
/// seven arrays inside of each other. After a failure a reader yields nothing more.
@safe public final class RedisReader {
    private let bounds: ReplyBounds
    /// A reader of hiredis' that this object owns, and its table of functions, which must outlive it.
    private let reader: UnsafeMutablePointer<redisReader>
    private let functions: UnsafeMutablePointer<redisReplyObjectFunctions>

    /// An array some elements of which are still to come.
    private struct Unfinished {
        var missing: Int
        var elements: [RedisReply]
    }
    private var arrays: [Unfinished] = []
    private var finished: RedisReply?
    /// Elements announced since the last finished reply.
    private var elements = 0
    /// Bytes since the last finished reply.
    private var bytes = 0
    private var failure: ReplyFailure?

    /// Creates a reader.
    public init(bounds: ReplyBounds = ReplyBounds()) {
        self.bounds = bounds
        unsafe functions = .allocate(capacity: 1)
        unsafe functions.initialize(
            to: weir_reader_functions(
                { task, text, length in unsafe RedisReader.takeString(task, text, length) },
                { task, count in unsafe RedisReader.takeArray(task, Int(count)) },
                { task, number in unsafe RedisReader.take(.integer(number), task) },
                { task in unsafe RedisReader.takeNull(task) }))
        guard let made = unsafe redisReaderCreateWithFunctions(functions) else {
            preconditionFailure("no memory for a reader")
        }
        unsafe reader = made
        unsafe reader.pointee.maxbuf = 64 << 10
        // Unretained: the functions run inside `next` alone, while this object is in use.
        unsafe reader.pointee.privdata = Unmanaged.passUnretained(self).toOpaque()
    }

    deinit {
        unsafe redisReaderFree(reader)
        unsafe functions.deallocate()
    }

    /// Bytes of a reply that is not finished.
    public var unfinishedBytes: Int { bytes }

    /// Takes the next bytes of the connection.
    public func feed(_ arrived: Span<UInt8>) {
        guard failure == nil, arrived.count > 0 else { return }
        bytes += arrived.count
        // The reader takes a copy.
        let taken = unsafe arrived.withUnsafeBytes { source in
            unsafe redisReaderFeed(
                reader, source.baseAddress?.assumingMemoryBound(to: CChar.self), source.count)
        }
        if taken != REDIS_OK { failure = .tooLarge }
    }

    /// The next whole reply; `nil` when more bytes are needed for it.
    public func next() throws(ReplyFailure) -> RedisReply? {
        if let failure { throw failure }
        var ignored: UnsafeMutableRawPointer?
        if unsafe redisReaderGetReply(reader, &ignored) != REDIS_OK {
            // A function of ours that found too much has said so already; all else is hiredis' word.
            let reason = failure ?? .malformed
            failure = reason
            throw reason
        }
        if let reply = finished {
            finished = nil
            elements = 0
            bytes = unsafe Int(reader.pointee.len) - Int(reader.pointee.pos)
            return reply
        }
        try checkUnfinished()
        return nil
    }

    /// Fails when what is unfinished is more than it may be.
    private func checkUnfinished() throws(ReplyFailure) {
        if bytes > bounds.bytes { failure = .tooLarge }
        let waiting = unsafe Int(reader.pointee.len) - Int(reader.pointee.pos)
        // hiredis looks for the end of a line from its begin each time: a line without an end would cost the
        // square of its length.
        if failure == nil, waiting > Bounds.lineBytes, !isInsideString(waiting) {
            failure = .malformed
        }
        if let failure { throw failure }
    }

    /// Whether what waits is a string whose length is known.
    private func isInsideString(_ waiting: Int) -> Bool {
        let depth = unsafe Int(reader.pointee.ridx)
        guard depth >= 0, type(ofTask: depth) == REDIS_REPLY_STRING,
            let buffer = unsafe reader.pointee.buf
        else { return false }
        // `waiting` bytes lie behind `pos`, more than a line's.
        let start = unsafe buffer + Int(reader.pointee.pos)
        for i in 0..<min(waiting, Bounds.lengthBytes) where unsafe start[i] == CChar(ASCII.lf) {
            return true
        }
        return false
    }

    private func type(ofTask depth: Int) -> Int32 {
        // `ridx` is an index of hiredis' own stack.
        unsafe weir_task_type(reader, CInt(depth))
    }

    // MARK: What hiredis calls

    /// The reader whose `next` runs; hiredis hands its pointer to every function.
    private static func owner(_ task: UnsafePointer<redisReadTask>?) -> RedisReader? {
        guard let pointer = unsafe task?.pointee.privdata else { return nil }
        // Alive: see `init`.
        return unsafe Unmanaged<RedisReader>.fromOpaque(pointer).takeUnretainedValue()
    }

    private static func take(
        _ reply: RedisReply, _ task: UnsafePointer<redisReadTask>?
    ) -> UnsafeMutableRawPointer? {
        unsafe owner(task)?.add(reply)
        // hiredis wants an object that is not nil, and never looks into it.
        return unsafe task?.pointee.privdata
    }

    /// RESP 2 says that a string or an array is not there; the null of RESP 3 is a type of its own.
    private static func takeNull(
        _ task: UnsafePointer<redisReadTask>?
    ) -> UnsafeMutableRawPointer? {
        guard unsafe task?.pointee.type != REDIS_REPLY_NIL else { return nil }
        return unsafe take(.null, task)
    }

    private static func takeString(
        _ task: UnsafePointer<redisReadTask>?, _ text: UnsafeMutablePointer<CChar>?, _ length: Int
    ) -> UnsafeMutableRawPointer? {
        guard let task = unsafe task else { return nil }
        // `length` bytes lie at `text`, in hiredis' buffer, during this call.
        let raw = unsafe UnsafeRawBufferPointer(start: text, count: length)
        let copy = unsafe [UInt8](raw)
        switch unsafe task.pointee.type {
        case REDIS_REPLY_STATUS: return unsafe take(.status(copy), task)
        case REDIS_REPLY_ERROR:
            return unsafe take(.error(RedisServerError(line: copy)), task)
        case REDIS_REPLY_STRING: return unsafe take(.bulk(copy), task)
        // Of RESP 3, which was not asked for.
        default: return nil
        }
    }

    private static func takeArray(
        _ task: UnsafePointer<redisReadTask>?, _ count: Int
    ) -> UnsafeMutableRawPointer? {
        // Maps, sets and the like are of RESP 3; the depth is bounded by 0.14 itself, and by 1 far beyond ours.
        guard unsafe task?.pointee.type == REDIS_REPLY_ARRAY, let reader = unsafe owner(task),
            reader.arrays.count < Bounds.depth, reader.begin(count)
        else { return nil }
        return unsafe task?.pointee.privdata
    }

    // MARK: Putting replies together

    /// Begins an array; `false` when there are too many elements.
    private func begin(_ count: Int) -> Bool {
        elements += count
        guard elements <= bounds.elements else {
            failure = .tooLarge
            return false
        }
        if count == 0 {
            add(.array([]))
            return true
        }
        var unfinished = Unfinished(missing: count, elements: [])
        unfinished.elements.reserveCapacity(min(count, Bounds.reservedElements))
        arrays.append(unfinished)
        return true
    }

    /// Adds an element to the innermost unfinished array, and finishes those that it was the last one of.
    private func add(_ element: RedisReply) {
        var reply = element
        while let innermost = arrays.indices.last {
            arrays[innermost].elements.append(reply)
            arrays[innermost].missing -= 1
            if arrays[innermost].missing > 0 { return }
            reply = .array(arrays.removeLast().elements)
        }
        finished = reply
    }
}
