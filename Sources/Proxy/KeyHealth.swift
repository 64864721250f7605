import Primitives

/// How the keys of credentials stand, for the health endpoints; shared by all threads.
public final class KeyHealth: Sendable {
    /// How one URL stands.
    public enum SourceState: UInt8, Sendable {
        /// It has never given keys.
        case unanswered
        /// Its last answer was good.
        case good
        /// Its last answer was not; keys of an earlier one are used.
        case failing

        var word: StaticString {
            switch self {
            case .unanswered: "unanswered"
            case .good: "ok"
            case .failing: "failing"
            }
        }
    }

    /// What is told.
    public struct Report: Sendable {
        /// Whether the configuration verifies tokens.
        public var verifiesTokens = false
        /// Keys for tokens that are used.
        public var tokenKeys = 0
        /// Files whose present content is not used.
        public var failingFiles = 0
        /// The URLs, by host and path, and how they stand.
        public var urls: [(name: String, state: SourceState)] = []

        /// Whether tokens can be verified, or none is looked at.
        public var maySucceed: Bool { !verifiesTokens || tokenKeys > 0 }
        /// Whether every source is well.
        public var isWhole: Bool { failingFiles == 0 && urls.allSatisfy { $0.state == .good } }

        /// The state in a word; `nil` when there is nothing to be told.
        var word: StaticString? {
            if !maySucceed { return "none" }
            if !isWhole { return "degraded" }
            return verifiesTokens ? "ok" : nil
        }
    }

    private let state: Guarded<Report>

    /// Creates the state before any key was loaded.
    public init(verifiesTokens: Bool) {
        state = Guarded(Report(verifiesTokens: verifiesTokens))
    }

    /// How it stands now.
    public var report: Report { state.withLock { $0 } }

    func set(_ report: Report) { state.withLock { $0 = report } }
}
