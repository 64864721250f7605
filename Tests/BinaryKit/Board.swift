import Foundation

/// A value that threads change and wait for.
package final class Board<Value>: @unchecked Sendable {
    // Every access to `current` holds the condition's lock.
    private let condition = NSCondition()
    private var current: Value

    package init(_ value: Value) { current = value }

    /// A copy of the value.
    package var value: Value { change { $0 } }

    /// Changes the value and wakes whoever waits for it.
    @discardableResult
    package func change<Result>(_ body: (inout Value) -> Result) -> Result {
        condition.lock()
        defer {
            condition.broadcast()
            condition.unlock()
        }
        return body(&current)
    }

    /// Waits until `body` finds what it looks for.
    @discardableResult
    package func wait<Result>(
        for what: String, within bound: Duration = patience, _ body: (Value) -> Result?
    ) throws -> Result {
        let deadline = Date(timeIntervalSinceNow: bound.inSeconds)
        condition.lock()
        defer { condition.unlock() }
        while true {
            if let found = body(current) { return found }
            guard condition.wait(until: deadline) else {
                throw Failure("\(what): not within \(bound); it stands at \(current)")
            }
        }
    }
}

/// A barrier that threads wait at until it is opened, once.
package typealias Gate = Board<Bool>

extension Board where Value == Bool {
    /// A closed gate.
    package convenience init() { self.init(false) }

    package func open() { change { $0 = true } }

    package func pass(_ what: String = "the gate opens", within bound: Duration = patience) throws {
        try wait(for: what, within: bound) { $0 ? () : nil }
    }
}

extension Board where Value == Int {
    package func add(_ n: Int = 1) { change { $0 += n } }

    /// Waits until the count is `n` at least.
    package func reach(_ n: Int, _ what: String = "the count is reached") throws {
        try wait(for: what) { $0 >= n ? () : nil }
    }
}

extension Duration {
    package var inSeconds: Double {
        Double(components.seconds) + Double(components.attoseconds) * 1e-18
    }
}

/// Runs `body` on a thread of its own for each of `0..<count`; their results in order.
@discardableResult
package func concurrently<Value: Sendable>(
    _ count: Int, within bound: Duration = patience,
    _ body: @escaping @Sendable (Int) throws -> Value
) throws -> [Value] {
    let results = Board([Int: Result<Value, any Error>]())
    for index in 0..<count {
        Thread.detachNewThread {
            let result = Result { try body(index) }
            results.change { $0[index] = result }
        }
    }
    let all = try results.wait(for: "\(count) threads end", within: bound) {
        $0.count == count ? $0 : nil
    }
    return try (0..<count).map { index in
        guard let result = all[index] else { throw Failure("thread \(index) gave nothing") }
        return try result.get()
    }
}

/// One thing that runs beside the scenario.
package final class Background<Value: Sendable>: Sendable {
    private let result = Board<Result<Value, any Error>?>(nil)

    package init(_ body: @escaping @Sendable () throws -> Value) {
        Thread.detachNewThread { [result] in
            let ended = Result { try body() }
            result.change { $0 = ended }
        }
    }

    /// Waits until it has ended.
    package func value(within bound: Duration = patience) throws -> Value {
        try result.wait(for: "what runs beside ends", within: bound) { $0 }.get()
    }
}
