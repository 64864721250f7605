import Primitives

extension ByteBuffer {
    /// Appends a number of thousandths with as many decimals as it has: `2`, `1.5`, `0.125`.
    func append(thousandths: UInt32) {
        append(decimal: UInt64(thousandths / 1000))
        var rest = thousandths % 1000
        guard rest > 0 else { return }
        append(UInt8(ascii: "."))
        var unit: UInt32 = 100
        while rest > 0 {
            append(decimal: UInt64(rest / unit))
            rest %= unit
            unit /= 10
        }
    }
}
