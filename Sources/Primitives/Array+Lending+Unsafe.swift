extension Array where Element: AnyObject {
    /// Lends the object at `index`: the array, which is lent itself meanwhile, keeps it, so that it need not be counted
    /// up and down.
    @inlinable
    @inline(__always)
    public borrowing func lend<Result>(_ index: Int, _ body: (Element) -> Result) -> Result {
        // The array holds the object until `body` is over.
        unsafe Unmanaged.passUnretained(self[index])._withUnsafeGuaranteedRef(body)
    }
}
