public import Primitives

/// How far a process has followed the purges of all processes that share a Redis, in one word.
///
///     63 … 40   generation   which sequence: Redis without its records begins another one
///     39 …  0   sequence     the number of the last purge
///
/// A stored answer carries the position that its process had reached when the origin was asked: every purge with a
/// later number may mean it, none with an earlier one does. So no clock is compared with another machine's.
public struct PurgePosition: Sendable, Hashable, BitwiseCopyable {
    /// The word.
    public let word: UInt64

    /// The position in `word`, as another process may have written it.
    public init(word: UInt64) { self.word = word }

    /// The position of the purge `sequence` in `generation`.
    public init(generation: UInt32, sequence: UInt64) {
        precondition(PurgePosition.generations.contains(generation))
        precondition(sequence <= PurgePosition.sequenceMax)
        word = UInt64(generation) << 40 | sequence
    }

    /// The position of two numbers that came from elsewhere; `nil` when they are none.
    public init?(checking generation: UInt64, _ sequence: UInt64) {
        guard let generation = UInt32(exactly: generation),
            PurgePosition.generations.contains(generation), sequence <= PurgePosition.sequenceMax
        else { return nil }
        self.init(generation: generation, sequence: sequence)
    }

    /// Names of generations. 0 is none, and so the word 0 is no position.
    public static let generations: ClosedRange<UInt32> = 1...0xFF_FFFF
    /// The last number; ten thousand purges a second reach it in three years.
    public static let sequenceMax: UInt64 = 1 << 40 - 1

    /// Which sequence.
    public var generation: UInt32 { UInt32(truncatingIfNeeded: word >> 40) }
    /// The number within it.
    public var sequence: UInt64 { word & PurgePosition.sequenceMax }

    /// The same generation at another number.
    func at(_ sequence: UInt64) -> PurgePosition {
        PurgePosition(generation: generation, sequence: sequence)
    }

    /// A name for a new generation.
    public static func newGeneration(using random: inout SeededRandom) -> UInt32 {
        UInt32(random.below(Int(generations.upperBound))) + 1
    }
}
