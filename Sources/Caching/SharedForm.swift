import Primitives

/// A stored answer as bytes that every process reads alike, on any machine: its form in Redis.
///
///     0    WEIR  version  kind  0 0        4 + 1 + 1 + 2 bytes
///     8    checksum                        of all that follows
///     16   requested  received             when, on the calendar clock: monotonic clocks differ between machines
///     32   initial age  Δ  fresh  stale-while-revalidate  stale-if-error      nanoseconds
///     72   date  scope  position           seconds; what the key does not say; how far purges were followed
///     96   status  source  Accept-Ranges  flags                               2 + 1 + 1 + 1 bytes, and 3 of 0
///     104  lengths of the seven blocks
///     160  key │ names of Vary │ their values │ head │ fields kept and not sent │ tags │ body
///
/// Numbers are words of eight bytes, the least significant one first, where nothing else is said. An answer that varies
/// stands under a key of its own (`SharedKey`), and at the key of its target a record names the fields it
/// varies by: kind 1, the names behind the checksum.
///
/// Not written: parts of answers, since their rest could not be asked for by others with certainty, and encoded
/// variants, which each process makes for itself. What an answer lost by soft purges and gained by a factor of
/// lifetimes is not in it either: both are each process's to apply.
public enum SharedForm {
    /// What a value is.
    enum Kind: UInt8 {
        case answer
        case names
    }

    static let magic: StaticString = "WEIR"
    static let version: UInt8 = 1
    /// Where what is checked begins, and where the blocks of an answer do.
    static let checkedFrom = 16
    static let blocksFrom = 160

    /// Why a value is not used. It is then as if it were not there, and the next answer replaces it.
    public enum Problem: Sendable, BitwiseCopyable, Equatable, CaseIterable {
        /// It is too short or does not begin as one of ours.
        case foreign
        /// It is of another version of this form.
        case version
        /// Its checksum is another one.
        case checksum
        /// Its lengths do not add up.
        case lengths
        /// It has no key.
        case key
        /// What it says of Vary is none of ours.
        case variant
        /// Its head is not one that is stored.
        case head
        /// Its tags are none.
        case tags
        /// Its times are beyond what can be.
        case times
        /// It was received later than now by more than clocks may differ (`CacheBounds.clockSkew`).
        case future
        /// Its key was written by a process in which the same key means something else.
        case scope

        /// The word for metrics.
        public var name: StaticString {
            switch self {
            case .foreign: "foreign"
            case .version: "version"
            case .checksum: "checksum"
            case .lengths: "lengths"
            case .key: "key"
            case .variant: "variant"
            case .head: "head"
            case .tags: "tags"
            case .times: "times"
            case .future: "future"
            case .scope: "scope"
            }
        }
    }

    /// What a value says.
    public enum Reading: Sendable {
        /// It is an answer.
        case answer(SharedAnswer)
        /// The answers for its key vary by these fields: names in lower case, each with a line feed.
        case names([UInt8])
        /// It cannot be used.
        case unusable(Problem)
    }

    /// The checksum of what follows it: no secret, and no defence against who may write to Redis.
    static func checksum(of bytes: Span<UInt8>) -> UInt64 {
        var hasher = KeyedHasher(seed: KeyedHasher.Seed(0, 0))
        hasher.append(bytes.extracting(checkedFrom..<bytes.count))
        return hasher.finish().low
    }
}

/// An answer that another process, or this one, has put into Redis.
public struct SharedAnswer: Sendable {
    /// The answer, its times on this process's clocks.
    public let stored: StoredResponse
    /// How far its writer had followed the purges of the fleet when it asked the origin (`PurgeHistory`).
    public let position: UInt64
}

/// What the form says in single bits.
struct SharedFlags: OptionSet {
    let rawValue: UInt8
    static let mustValidate = SharedFlags(rawValue: 1)
    static let forbidsStale = SharedFlags(rawValue: 2)
    static let isImmutable = SharedFlags(rawValue: 4)
    static let isForEverybody = SharedFlags(rawValue: 8)
    static let isEncodable = SharedFlags(rawValue: 16)
    static let all = SharedFlags(rawValue: 31)
}
