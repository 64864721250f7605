import HTTPModel
import Primitives

/// What Accept-Ranges of an answer says (RFC 9110 §14.3).
enum AcceptRanges: UInt8, Sendable, BitwiseCopyable {
    /// Nothing.
    case unsaid
    /// `none`: no range will be served.
    case none
    /// Some unit.
    case some

    init(of fields: borrowing FieldList) {
        guard let value = fields.first(.acceptRanges) else {
            self = .unsaid
            return
        }
        self = value.equalsIgnoringCase("none") ? .none : .some
    }
}
