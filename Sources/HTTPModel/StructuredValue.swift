public import Primitives

/// A value of a structured field, without its parameters (RFC 9651 §3).
///
/// Texts are ranges of the field's bytes, as they were sent.
public enum StructuredValue: Sendable, BitwiseCopyable, Equatable {
    /// A whole number of at most 15 digits.
    case integer(Int64)
    /// A number with one to three digits behind the point, in thousandths.
    case decimal(thousandths: Int64)
    /// What stands between the quotes; `\"` and `\\` are still escaped.
    case string(ByteRange)
    /// A token.
    case token(ByteRange)
    /// What stands between the colons, in base64.
    case bytes(ByteRange)
    /// `?0` or `?1`; a dictionary's key without a value is true.
    case boolean(Bool)
    /// Seconds since 1970.
    case date(Int64)
    /// What stands between the quotes, with its percent escapes.
    case displayString(ByteRange)
    /// What stands between the parentheses.
    case innerList(ByteRange)
}

/// A field's text is no structured field of the type that was asked for: the whole field counts as not sent
/// (RFC 9651 §4.2).
public struct StructuredFieldError: Error, Sendable, BitwiseCopyable, Equatable {
    /// Creates the error.
    public init() {}
}
