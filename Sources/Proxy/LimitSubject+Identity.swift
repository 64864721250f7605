import HTTPModel
import Identity
import Limits

extension LimitSubject {
    /// Lends what limits look at of a resolved identity.
    @_lifetime(borrow identity)
    @inline(__always)
    init(_ identity: borrowing ResolvedIdentity, method: Method) {
        self.init(
            address: identity.address, counted: identity.countedAddress, method: method,
            user: identity.user, company: identity.company, tier: identity.tier)
    }
}
