import HTTPModel
import Limits
import Primitives

/// How the origin's fields about its own limits and ours go together in one answer (standards S1).
///
/// `RateLimit` and `RateLimit-Policy` are lists: ours join the origin's. Three fields that hold one number each
/// cannot be joined: the tighter limit is told, the one with the smaller part of its quota left. So a client
/// never reads more than the origin would let pass, nor more than this proxy would. What cannot be read is
/// replaced.
struct LimitFieldMerge {
    /// Whose X-RateLimit-Limit, -Remaining and -Reset the client gets.
    private(set) var xRateLimit = Side.both
    /// Whose RateLimit-Limit, -Remaining and -Reset.
    private(set) var ietfDraft03 = Side.both

    /// Who is heard.
    enum Side: Sendable, BitwiseCopyable {
        /// There is at most one of them.
        case both
        /// The proxy; the origin's fields are dropped.
        case own
        /// The origin; ours are left out.
        case origin
    }

    /// Nothing of the origin's is touched.
    init() {}

    /// What `fields`, an origin's, say beside `decision`, told in the dialects of `own`.
    static func of(
        _ decision: LimitDecision, _ own: RateLimitFields, _ fields: borrowing FieldList
    ) -> LimitFieldMerge {
        let hasX =
            own.dialects.contains(.xRateLimit) && fields.containsAny(of: LimitFieldMerge.xNames)
        let hasDraft03 = own.dialects.contains(.ietfDraft03) && fields.hasDraft03
        var merge = LimitFieldMerge()
        guard hasX || hasDraft03, let tightest = decision.tightest else { return merge }
        let state = decision[tightest]
        if hasX {
            let theirs = Numbers(
                limit: fields.onlyIndex(of: .xRatelimitLimit),
                remaining: fields.onlyIndex(of: .xRatelimitRemaining),
                reset: fields.onlyIndex(of: .xRatelimitReset), in: fields)
            merge.xRateLimit = theirs?.isTighter(than: state) ?? false ? .origin : .own
        }
        if hasDraft03 {
            let theirs = Numbers(
                limit: fields.onlyIndex(named: "ratelimit-limit"),
                remaining: fields.onlyIndex(named: "ratelimit-remaining"),
                reset: fields.onlyIndex(named: "ratelimit-reset"), in: fields)
            merge.ietfDraft03 = theirs?.isTighter(than: state) ?? false ? .origin : .own
        }
        return merge
    }

    /// Whether anything of the origin's is dropped.
    var dropsAny: Bool { xRateLimit == .own || ietfDraft03 == .own }

    /// The dialects in which the origin is heard, and not this proxy.
    var omitting: RateLimitFields.Dialects {
        var dialects: RateLimitFields.Dialects = []
        if xRateLimit == .origin { dialects.insert(.xRateLimit) }
        if ietfDraft03 == .origin { dialects.insert(.ietfDraft03) }
        return dialects
    }

    /// The origin's fields that are left out, as far as they have a case of their own.
    var dropped: FieldNameSet { xRateLimit == .own ? LimitFieldMerge.xNames : FieldNameSet() }

    /// Whether the origin's field of a name without a case of its own is left out.
    func dropsOther(_ name: Span<UInt8>) -> Bool {
        ietfDraft03 == .own && LimitFieldMerge.isDraft03(name)
    }

    /// Whether the origin's field of any name is left out.
    func drops(_ name: Span<UInt8>) -> Bool {
        let known = FieldName(recognising: name)
        return known == .other ? dropsOther(name) : dropped.contains(known)
    }

    private static let xNames: FieldNameSet = [
        .xRatelimitLimit, .xRatelimitRemaining, .xRatelimitReset,
    ]

    fileprivate static func isDraft03(_ name: Span<UInt8>) -> Bool {
        guard name.count >= 15, name.count <= 19 else { return false }
        return name.equalsIgnoringCase("ratelimit-limit")
            || name.equalsIgnoringCase("ratelimit-remaining")
            || name.equalsIgnoringCase("ratelimit-reset")
    }

    /// What one limit of the origin says.
    private struct Numbers {
        let limit: UInt64
        let remaining: UInt64
        let reset: UInt64

        /// Three numbers, or `nil`. Behind the limit policies may follow, as in `10, 10;w=1`.
        init?(limit: Int?, remaining: Int?, reset: Int?, in fields: borrowing FieldList) {
            guard let limit, let remaining, let reset else { return nil }
            let text = fields.value(at: limit)
            let end = text.firstIndex(of: UInt8(ascii: ",")) ?? text.count
            guard let limit = text.extracting(0..<end).trimmed.decimalValue,
                let remaining = fields.value(at: remaining).decimalValue,
                let reset = fields.value(at: reset).decimalValue
            else { return nil }
            self.limit = limit
            self.remaining = remaining
            self.reset = reset
        }

        /// Whether a smaller part is left than of ours; when both have the same part left, whether it takes longer.
        func isTighter(than state: LimitState) -> Bool {
            let left = min(state.remaining, state.quota)
            // Nobody passes a limit of 0.
            if limit == 0 { return left > 0 }
            let theirs = remaining.multipliedFullWidth(by: UInt64(state.quota))
            let ours = UInt64(left).multipliedFullWidth(by: limit)
            if theirs != ours { return theirs < ours }
            // Both may be a time or a duration: no duration is as long as since 1970.
            let isTime = reset >= 1_000_000_000
            let end = isTime ? state.resetAt.epochSeconds : state.resetAfter.secondsRoundedUp
            return reset > end
        }
    }
}

extension FieldList {
    /// The index of the only field of `name`.
    fileprivate borrowing func onlyIndex(of name: FieldName) -> Int? {
        count(of: name) == 1 ? firstIndex(of: name) : nil
    }

    /// The index of the only field with this lower-case name.
    fileprivate borrowing func onlyIndex(named name: StaticString) -> Int? {
        var found: Int?
        for index in indices where self.name(at: index).equalsIgnoringCase(name) {
            if found != nil { return nil }
            found = index
        }
        return found
    }

    /// Whether there is a field of draft-ietf-httpapi-ratelimit-headers-03.
    fileprivate var hasDraft03: Bool {
        for index in indices
        where self[index].name == .other && LimitFieldMerge.isDraft03(name(at: index)) {
            return true
        }
        return false
    }
}
