/// What the configuration of Redis can say and this version cannot do yet. Tests read as if it could.
package enum Feature: Hashable, Sendable, CaseIterable {
    /// `redis: {read_replicas: true}`.
    case replicaReads

    /// Those that this version does not have.
    package static let missing: Set<Feature> = [.replicaReads]

    /// Its name in messages.
    fileprivate var words: String {
        switch self {
        case .replicaReads: "reading from replicas"
        }
    }
}

extension Report {
    /// Reports at `value` that this version lacks `feature`, if it does.
    func check(_ feature: Feature, at value: Value) {
        guard missing.contains(feature) else { return }
        error(keyOf: value, "\(feature.words) is not available in this version")
    }
}
