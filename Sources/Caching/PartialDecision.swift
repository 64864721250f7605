public import HTTPModel
import Primitives

/// Whether a 206 is kept as a part of the whole answer (RFC 9111 §3.3, §3.4, cases `9111-3.3-…`).
public enum PartialDecision: Sendable {
    /// Keep it: the head of the whole answer, and where the body of this one stands.
    case store(CachedHead, BodySlice)
    /// Do not.
    case refuse(CacheRefusal)

    /// Decides about a 206.
    ///
    /// It is kept when it has one part, says how long the whole is, has a strong validator, and a 200 with its fields
    /// would be stored. Its fields are those of the parts that are there, replaced by its own (RFC 9110 §15.3.7.3). An
    /// answer to If-Range leaves fields out that the client knows: without parts to complete them it is not kept.
    ///
    /// - Parameters:
    ///   - fill: The fetch, with the parts that are stored already.
    ///   - request: The request as the client sent it.
    ///   - response: The head of the 206.
    ///   - policy: The route's policy.
    ///   - times: When it was asked for and received.
    ///   - tags: By which it can be purged; a stored part keeps its own beside those of its new fields.
    /// - Returns: What to publish, or the first reason against it.
    public static func decide(
        fill: Fill, request: borrowing RequestHead, response: borrowing ResponseHead,
        policy: borrowing CachePolicy, times: FetchTimes, tags: CacheTags = CacheTags()
    ) -> PartialDecision {
        guard let range = ContentRange(of: response),
            let validator = StrongValidator(of: response, times: times)
        else { return .refuse(.partial) }
        var known: CachedHead?
        if let stored = fill.parts, stored.parts?.length == range.length,
            StrongValidator(of: stored.head) == validator
        {
            known = stored.head
        }
        if known == nil && request.fields.contains(.ifRange) { return .refuse(.partial) }
        let update = whole(response, length: range.length)
        let merged = known.map { StoredResponse.merge($0.parsed(), with: update) } ?? update
        switch StoreDecision.decide(
            request: request, response: merged, policy: policy, times: times)
        {
        case .refuse(let refusal): return .refuse(refusal)
        case .store(let lifetime):
            guard range.length <= fill.bytesMax else { return .refuse(.tooLarge) }
            let tags = known.map { $0.tags.updated(by: response.fields) } ?? tags
            guard tags.isWhole else { return .refuse(.tooManyTags) }
            let head = CachedHead(
                key: fill.key, request: request, response: merged, lifetime: lifetime,
                times: times, policy: policy, tags: tags)
            return .store(head, range.slice)
        }
    }

    /// The head of the whole answer, as a 206 tells it.
    private static func whole(
        _ response: borrowing ResponseHead, length: Int
    ) -> ResponseHead {
        var whole = ResponseHead()
        whole.status = 200
        whole.framing = .length(UInt64(length))
        for i in response.fields.indices {
            let name = response.fields[i].name
            if name == .contentRange || name == .contentLength { continue }
            if HeadWriter.hopByHop.contains(name)
                || HeadWriter.isNamedByConnection(response.fields.name(at: i), in: response.fields)
            {
                continue
            }
            whole.fields.append(
                name: response.fields.name(at: i), value: response.fields.value(at: i))
        }
        return whole
    }
}
