public import HTTPModel
import Synchronization

/// The encoded variants of one stored answer: a slot for each coding, filled once or never.
///
/// Reading is an atomic load, without a lock. Who claims a coding makes it; all others send the answer as it
/// is meanwhile. Slots of an answer in the store are filled by `MemoryStore.attach`, which counts their cost.
final class EncodedVariants: Sendable {
    private let br = AtomicLazyReference<EncodedVariant>()
    private let gzip = AtomicLazyReference<EncodedVariant>()
    /// A bit for each coding that is made or was.
    private let claimed = Atomic<UInt8>(0)

    /// The variant in `coding`; `nil`: not made yet.
    subscript(coding: ContentCoding) -> EncodedVariant? {
        switch coding {
        case .br: br.load()
        case .gzip: gzip.load()
        }
    }

    /// Whether the caller is to make the variant in `coding`: `true` for the first one that asks.
    func claim(_ coding: ContentCoding) -> Bool {
        // Relaxed: the bit says who works, and guards nothing.
        let bit: UInt8 = 1 << coding.rawValue
        return claimed.bitwiseOr(bit, ordering: .relaxed).oldValue & bit == 0
    }

    /// Takes a claim back: nothing was made.
    func disclaim(_ coding: ContentCoding) {
        claimed.bitwiseAnd(~(1 << coding.rawValue), ordering: .relaxed)
    }

    func put(_ variant: EncodedVariant) {
        switch variant.coding {
        case .br: _ = br.storeIfNil(variant)
        case .gzip: _ = gzip.storeIfNil(variant)
        }
    }

    /// The cost of those that are there, in bytes.
    var byteCost: Int { (br.load()?.byteCost ?? 0) + (gzip.load()?.byteCost ?? 0) }
}

extension StoredResponse {
    /// The answer in `coding`, if it is kept so; `nil`: not made yet.
    public func variant(in coding: ContentCoding) -> EncodedVariant? { encoded[coding] }

    /// Whether the caller is to make the variant in `coding`, and give it to `MemoryStore.attach`: `true` for the
    /// first one that asks. `disclaim` when nothing came of it.
    public func claim(_ coding: ContentCoding) -> Bool { encoded.claim(coding) }

    /// Lets somebody else claim `coding`.
    public func disclaim(_ coding: ContentCoding) { encoded.disclaim(coding) }
}
