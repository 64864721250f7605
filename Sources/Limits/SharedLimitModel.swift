/// The arithmetic of `SharedLimitScript` in Swift, over a table in memory in place of Redis.
///
/// It is given what the script is given and answers with the same bytes; a test runs both on the same random inputs.
/// It documents the script, and stands in for Redis where a fleet is simulated. Not for the data plane.
public struct SharedLimitModel: Sendable {
    private var states: [[UInt8]: SharedLimitState] = [:]
    /// Runs of the script.
    public private(set) var calls = 0

    /// Creates an empty Redis.
    public init() {}

    /// Runs the script.
    ///
    /// - Parameters:
    ///   - keys: The keys of the batch.
    ///   - argument: Its argument.
    ///   - now: The clock of Redis, in microseconds since the Unix epoch.
    /// - Returns: The answer; `nil` where the script would fail.
    public mutating func run(keys: [[UInt8]], argument: [UInt8], now: Int64) -> [UInt8]? {
        guard var reader = PackedIntegers.Reader(argument.span), let count = reader.next() else {
            return nil
        }
        calls += 1
        var rates: [SharedLimitRate] = []
        for _ in 0..<count {
            guard let rate = SharedLimitRate(from: &reader) else { return nil }
            rates.append(rate)
        }
        var run = Run(now: now, keys: keys, rates: rates, states: states)
        while let operation = reader.next() {
            guard run.execute(operation, &reader) else { return nil }
        }
        states = run.states
        var answer: [UInt8] = []
        PackedIntegers.appendHeader(run.out.count, to: &answer)
        for number in run.out { PackedIntegers.append(number, to: &answer) }
        return answer
    }

    /// The numbers that a key holds; `nil`: none.
    func values(of key: [UInt8]) -> [Int64]? { states[key]?.values }

    /// One run of the script.
    private struct Run {
        let now: Int64
        let keys: [[UInt8]]
        let rates: [SharedLimitRate]
        var states: [[UInt8]: SharedLimitState]
        var out: [Int64]

        init(
            now: Int64, keys: [[UInt8]], rates: [SharedLimitRate],
            states: [[UInt8]: SharedLimitState]
        ) {
            self.now = now
            self.keys = keys
            self.rates = rates
            self.states = states
            out = [now]
        }

        /// One limit of a command.
        struct Target {
            let key: [UInt8]
            let rate: SharedLimitRate
            let units: Int64
        }

        func target(_ reader: inout PackedIntegers.Reader) -> Target? {
            guard let key = reader.next(), let rate = reader.next(), let units = reader.next()
            else { return nil }
            return Target(key: keys[Int(key) - 1], rate: rates[Int(rate)], units: units)
        }

        mutating func execute(
            _ operation: Int64, _ reader: inout PackedIntegers.Reader
        ) -> Bool {
            if operation < 32 { return decide(operation, &reader) }
            guard let target = target(&reader) else { return false }
            if operation == 32 {
                charge(target)
            } else {
                guard let mark = reader.next() else { return false }
                change(target) { state, now in
                    state.refund(target.units, mark: mark, by: target.rate, at: now)
                }
            }
            answer(target, units: 1, refused: false)
            return true
        }

        mutating func decide(_ operation: Int64, _ reader: inout PackedIntegers.Reader) -> Bool {
            let isPeek = operation >= 16
            guard let shadows = reader.next() else { return false }
            var targets: [(Target, isShadow: Bool, admits: Bool)] = []
            for place in 0..<(operation % 16) {
                guard let target = target(&reader) else { return false }
                let state = state(of: target)
                targets.append(
                    (
                        target, isShadow: shadows >> place & 1 == 1,
                        admits: state.admits(target.units, by: target.rate, at: now)
                    ))
            }
            let passes = targets.allSatisfy { $0.admits || $0.isShadow }
            for (target, isShadow, admits) in targets {
                if !isPeek && (isShadow ? admits : passes) { charge(target) }
                answer(target, units: target.units, refused: !admits)
            }
            return true
        }

        mutating func state(of target: Target) -> SharedLimitState {
            var state = states[target.key] ?? .nothing(target.rate.kind)
            state.forget(keeping: target.rate.keep, at: now)
            // Of a log even a look drops what has passed.
            if case .log(let moments, _) = state {
                states[target.key] = moments.isEmpty ? nil : state
            }
            return state
        }

        mutating func charge(_ target: Target) {
            guard target.units > 0 else { return }
            change(target) { $0.charge(target.units, by: target.rate, at: $1) }
        }

        mutating func change(_ target: Target, _ body: (inout SharedLimitState, Int64) -> Void) {
            var state = state(of: target)
            body(&state, now)
            states[target.key] = state.saysNothing(at: now) ? nil : state
        }

        mutating func answer(_ target: Target, units: Int64, refused: Bool) {
            let level = state(of: target).level(max(units, 1), by: target.rate, at: now)
            out.append(refused ? -1 - level.left : level.left)
            out.append(level.reset)
            out.append(level.after)
        }
    }
}

extension SharedLimitRate {
    /// Reads a rate of a batch.
    fileprivate init?(from reader: inout PackedIntegers.Reader) {
        guard let kind = reader.next().flatMap({ Kind(rawValue: UInt8(truncatingIfNeeded: $0)) }),
            let quota = reader.next(), let step = reader.next(), let span = reader.next(),
            let keep = reader.next()
        else { return nil }
        self.init(kind: kind, quota: quota, step: step, span: span, keep: keep)
    }
}
