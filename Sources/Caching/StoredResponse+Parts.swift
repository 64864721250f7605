import HTTPModel
import Primitives

/// Answers of which only parts are stored.
extension StoredResponse {
    /// The length of the whole body in bytes.
    public var wholeCount: Int { parts?.length ?? bodyCount }

    /// Whether what `request` asks for is there: all of an answer, or ranges that lie in stored parts.
    func canAnswer(_ request: borrowing RequestHead) -> Bool {
        guard let parts else { return true }
        // Two-digit years are read from when the answer was made.
        switch AnswerForm(for: request, of: head, now: UInt64(clamping: head.date)) {
        case .part(let slice): return parts.contain(slice)
        case .parts(let slices): return slices.indices.allSatisfy { parts.contain(slices[$0]) }
        case .notModified, .whole, .unsatisfiable: return false
        }
    }

    /// The bytes of `slice`, which must be there, as segments: whole ones by reference, cut ones copied.
    public func segments(of slice: BodySlice) -> [[UInt8]] {
        var (index, offset) = place(of: slice.start)
        var rest = slice.count
        var out: [[UInt8]] = []
        while rest > 0 {
            let segment = body[index]
            let count = min(segment.count - offset, rest)
            out.append(
                count == segment.count
                    ? segment : segment.span.extracting(offset..<offset + count).copied)
            rest -= count
            index += 1
            offset = 0
        }
        return out
    }

    /// What is stored of `slice`, in ascending order, as segments.
    public func storedSegments(within slice: BodySlice) -> [[UInt8]] {
        guard let parts else { return segments(of: slice) }
        return parts.slices.flatMap { part -> [[UInt8]] in
            let (start, end) = (max(part.start, slice.start), min(part.end, slice.end))
            return start < end ? segments(of: BodySlice(start, end)) : []
        }
    }

    /// The bytes of this answer and of an older one together (RFC 9111 §3.4).
    ///
    /// - Returns: `nil` where they are not parts of one version with certainty, or too many pieces.
    func combined(with old: StoredResponse) -> StoredResponse? {
        guard let mine = parts, let theirs = old.parts, mine.length == theirs.length,
            head.variant == old.head.variant, let validator = StrongValidator(of: head),
            validator == StrongValidator(of: old.head)
        else { return nil }
        var pieces = mine.slices.map { (slice: $0, owner: self) }
        for slice in theirs.slices {
            for rest in mine.missing(from: slice) { pieces.append((rest, old)) }
        }
        pieces.sort { $0.slice.start < $1.slice.start }
        let union = BodyParts(pieces.map(\.slice), of: mine.length)
        guard union.slices.count <= CacheBounds.partsPerAnswer else { return nil }
        let segments = pieces.flatMap { $0.owner.segments(of: $0.slice) }
        let newer = head.requested >= old.head.requested ? head : old.head
        return union.areWhole
            ? StoredResponse(head: newer, body: Fill.joined(segments))
            : StoredResponse(head: newer, body: segments, parts: union)
    }
}

extension BodyParts {
    /// What of `slice` is not there.
    fileprivate func missing(from slice: BodySlice) -> [BodySlice] {
        var out: [BodySlice] = []
        var start = slice.start
        for part in slices where part.end > start && part.start < slice.end {
            if part.start > start { out.append(BodySlice(start, part.start)) }
            start = part.end
        }
        if start < slice.end { out.append(BodySlice(start, slice.end)) }
        return out
    }
}
