import HTTPModel

/// What one worker has encoded and sent encoded.
struct CompressionCounts: Sendable {
    /// Variants made, by coding.
    private(set) var made = InlineArray<2, UInt64>(repeating: 0)
    /// Answers sent, by coding.
    private(set) var sent = InlineArray<2, UInt64>(repeating: 0)
    /// Bytes of bodies that were encoded.
    private(set) var bytes: UInt64 = 0
    /// Bytes that encoded answers were shorter than they would have been.
    private(set) var saved: UInt64 = 0
    /// Variants that could not be made.
    var failed: UInt64 = 0

    mutating func noteMade(_ coding: ContentCoding, bytes count: Int) {
        made[Int(coding.rawValue)] &+= 1
        bytes &+= UInt64(count)
    }

    mutating func noteSent(_ coding: ContentCoding, saved count: Int) {
        sent[Int(coding.rawValue)] &+= 1
        saved &+= UInt64(max(0, count))
    }

    mutating func merge(_ other: CompressionCounts) {
        for i in made.indices {
            made[i] &+= other.made[i]
            sent[i] &+= other.sent[i]
        }
        bytes &+= other.bytes
        saved &+= other.saved
        failed &+= other.failed
    }
}
