import HTTPModel
import Primitives

extension CachePolicy {
    /// A part that `vary_by` adds to the key.
    public enum VaryBy: Sendable, Hashable {
        /// The user.
        case user
        /// The company.
        case company
        /// The tier.
        case tier
        /// The client's address, whole.
        case ip
        /// A field of the request; the name in lower case.
        case header(String)
        /// The cookie of this name.
        case cookie(String)
        /// The request's content: its digest, and the fields that say what it is. Of methods that carry one,
        /// and always of QUERY.
        case body

        /// The parts that are one word, in the order of the documentation.
        public static let words: [VaryBy] = [.user, .company, .tier, .ip, .body]

        /// How it is written in the file.
        public var text: String {
            switch self {
            case .user: "user"
            case .company: "company"
            case .tier: "tier"
            case .ip: "ip"
            case .header(let name): "header:\(name)"
            case .cookie(let name): "cookie:\(name)"
            case .body: "body"
            }
        }

        /// Whether it says who asks, as `identity` found out. Only such a part makes answers to requests with
        /// credentials storable.
        public var isIdentity: Bool {
            switch self {
            case .user, .company, .tier: true
            case .ip, .header, .cookie, .body: false
            }
        }
    }

    /// Whether keys say who asks.
    public var hasIdentity: Bool { varyBy.contains(where: \.isIdentity) }

    /// Whether an answer can only be fetched by the client it is for.
    public var isForSomebody: Bool { hasIdentity || varyBy.contains(.ip) }

    /// Whether `vary_by` names every cookie that a request sends.
    func keysSayAllCookies(of request: borrowing FieldList) -> Bool {
        var names: [[UInt8]] = []
        for case .cookie(let name) in varyBy { names.append(Array(name.utf8)) }
        if names.isEmpty { return false }
        for i in request.indices where request[i].name == .cookie {
            let line = request.value(at: i)
            var start = 0
            while start <= line.count {
                let end = line.firstIndex(of: UInt8(ascii: ";"), from: start) ?? line.count
                let pair = line.extracting(start..<end).trimmed
                let nameEnd = pair.firstIndex(of: UInt8(ascii: "=")) ?? pair.count
                let name = pair.extracting(0..<nameEnd).trimmed.copied
                if pair.count > 0 && !(nameEnd < pair.count && names.contains(name)) {
                    return false
                }
                start = end + 1
            }
        }
        return true
    }
}
