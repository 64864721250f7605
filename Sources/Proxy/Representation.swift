import Caching
import HTTPModel

/// How a stored answer goes to one client.
enum Representation {
    /// As the origin sent it.
    case asIs
    /// As it is for now: the client would have it in this coding, which is not made yet.
    case wanted(ContentCoding)
    /// In a coding.
    case encoded(EncodedVariant)

    /// The representation of `stored` for `request`, to which `rules` are applied (RFC 9110 §12.5.3).
    init(of stored: StoredResponse, for request: borrowing FieldList, _ rules: CacheRules) {
        guard stored.isWhole, stored.head.isEncodable, let coding = rules.coding(for: request)
        else {
            self = .asIs
            return
        }
        if let variant = stored.variant(in: coding) {
            self = variant.isUseful ? .encoded(variant) : .asIs
        } else {
            self = rules.isLongEnough(stored) ? .wanted(coding) : .asIs
        }
    }
}
