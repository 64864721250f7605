/// What a step of an encoder came to.
public enum EncodeStep: Sendable, BitwiseCopyable, Equatable {
    /// All input was taken; more may come.
    case needsMore
    /// The stream is whole.
    case done
    /// The encoder is of no more use, and what it wrote is worth nothing.
    case failed(CompressionFailure)
}

/// Why an encoder failed.
public enum CompressionFailure: Error, BitwiseCopyable, Equatable {
    /// There was no memory for it.
    case noMemory
    /// The library reports damaged state.
    case library
}
