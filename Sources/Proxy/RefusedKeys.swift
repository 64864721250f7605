import Limits
public import Primitives
import Telemetry

/// A key that a limit has refused.
public struct RefusedKey: Sendable, Equatable {
    /// The limit's name.
    public let limit: String
    /// The key in words, at most 96 bytes; longer ones are cut.
    public let key: [UInt8]
    /// How often it was refused, at most.
    public let refusals: UInt64
    /// By how much that may be too high.
    public let error: UInt64
    /// When it was last refused.
    public let last: WallTime

    init(_ item: HeavyHitters.Item) {
        let end = item.words.firstIndex(of: 0) ?? item.words.endIndex
        limit = item.words.span.extracting(0..<end).text
        key = Array(item.words[end...].dropFirst())
        refusals = item.entry.count
        error = item.entry.error
        last = item.entry.last
    }
}

/// One worker's keys that limits refused most: bounded, and at a fixed cost per refusal.
///
/// A key's words are kept behind its limit's name and a zero byte, so they outlive a reload.
struct RefusedKeys {
    /// The most bytes of a key's words.
    static let keyBytesMax = 96

    /// What was counted; a copy of it goes to the admin API.
    private(set) var counted = HeavyHitters()
    /// Where the words of a key are put together before they are kept.
    private let name = ByteBuffer(capacity: 256)
    private let words = ByteBuffer(capacity: 512)

    /// Counts a refusal.
    ///
    /// - Returns: The slot whose words are now those of another key, and are to be set; `nil` when the key had one.
    mutating func note(_ key: Digest128, at now: WallTime) -> Int? { counted.note(key, at: now) }

    /// Sets the words of the key in `slot`: that of a request under a limit of `route`.
    mutating func setWords(
        of slot: Int, _ limit: Int, of route: Route, _ subject: borrowing LimitSubject,
        _ dimensions: borrowing LimitDimensions, methodName: Span<UInt8>
    ) {
        words.removeAll()
        route.limits.appendKey(of: limit, subject, dimensions, methodName: methodName, to: words)
        name.removeAll()
        let limitName = route.limitNames[limit]
        name.append(limitName.span)
        name.append(UInt8(0))
        name.append(min(words.count, RefusedKeys.keyBytesMax), of: words)
        let text = name
        counted.setWords(text.readable, of: slot)
    }

    /// Forgets a key that an administrator has reset.
    mutating func forget(_ key: Digest128) { counted.forget(key) }
}
