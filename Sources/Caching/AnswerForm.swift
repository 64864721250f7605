public import HTTPModel
import Primitives

/// What a request gets of an answer that is there, or arrives for the cache (RFC 9110 §13.2.2, §14.2).
///
/// The conditions come first: who has the answer already gets 304, whatever range is asked for; then
/// If-Range decides whether the range is still of the same answer.
public enum AnswerForm: Sendable {
    /// 304: the client has it.
    case notModified
    /// All of it, with its own status.
    case whole
    /// 206 with one part.
    case part(BodySlice)
    /// 206 with several parts, each with a head of its own. Boxed: 16 slices would lie in every frame with a form.
    indirect case parts(BodySlices)
    /// 416: no byte that is asked for exists.
    case unsatisfiable

    /// Finds out what `request` gets of the answer with `head`.
    ///
    /// Ranges are for GET and for answers of status 200 whose length is known; all others are sent whole.
    ///
    /// - Parameters:
    ///   - request: The client's request.
    ///   - head: The answer's head.
    ///   - now: Seconds since 1970, for two-digit years.
    public init(for request: borrowing RequestHead, of head: CachedHead, now: UInt64) {
        if Conditions.areNotModified(request.fields, head: head, now: now) {
            self = .notModified
        } else if request.method == .get && request.fields.contains(.range) {
            self = AnswerForm.range(request.fields, head, now: now)
        } else {
            self = .whole
        }
    }

    private static func range(
        _ request: borrowing FieldList, _ head: CachedHead, now: UInt64
    ) -> AnswerForm {
        guard head.status == 200, let count = head.contentLength, let length = Int(exactly: count),
            request.count(of: .range) == 1, let value = request.first(.range),
            Conditions.rangeStillHolds(request, head: head, now: now)
        else { return .whole }
        switch RangeSelection(value, of: length) {
        case .ignored: return .whole
        case .unsatisfiable: return .unsatisfiable
        case .slices(let slices): return slices.count == 1 ? .part(slices[0]) : .parts(slices)
        }
    }

    /// The answer's status, where that of the whole one is `status`.
    public func status(whole status: Status) -> Status {
        switch self {
        case .notModified: 304
        case .whole: status
        case .part, .parts: 206
        case .unsatisfiable: 416
        }
    }

    /// Whether it carries the whole body or a part of it.
    public var hasBody: Bool {
        switch self {
        case .notModified, .unsatisfiable: false
        case .whole, .part, .parts: true
        }
    }

    /// The only slice that it carries; `nil` for all other forms.
    public var slice: BodySlice? {
        if case .part(let slice) = self { slice } else { nil }
    }
}
