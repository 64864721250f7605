public import HTTPModel

extension CacheRules {
    /// The coding in which `request` would have an answer that may be encoded; `nil`: as it is.
    ///
    /// A part of a body is a part of the body as it is: ranges are of the selected representation (RFC 9110
    /// §14.2), and with Range that one is selected. A client may forbid any change (RFC 9111 §5.2.1.6).
    public func coding(for request: borrowing FieldList) -> ContentCoding? {
        guard let codings, request.contains(.acceptEncoding), !request.contains(.range),
            let coding = AcceptEncoding(request).choice(from: codings)
        else { return nil }
        if request.contains(.cacheControl)
            && CacheDirectives(ofRequest: request).flags.contains(.noTransform)
        {
            return nil
        }
        return coding
    }

    /// Whether the body of `stored` is long enough to be encoded: when it began to arrive its length may not
    /// have been known.
    public func isLongEnough(_ stored: StoredResponse) -> Bool {
        stored.bodyCount >= encodedSizeMin
    }
}
