import Primitives

extension FieldList {
    /// The values of all lines of `name`, joined by `, ` (RFC 9110 §5.2). Allocates.
    public func joined(_ name: FieldName) -> [UInt8] {
        var all: [UInt8] = []
        var isFirst = true
        for i in indices where self[i].name == name {
            if !isFirst { all.append(", ") }
            isFirst = false
            all.append(value(at: i))
        }
        return all
    }
}
