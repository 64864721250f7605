public import Primitives

/// One header field: where its name and value stand in the list's bytes.
public struct Field: Sendable, BitwiseCopyable {
    /// The known name, or `other`.
    public let name: FieldName
    /// The name as it was sent.
    public let nameRange: ByteRange
    /// The value, without surrounding white space.
    public let valueRange: ByteRange
    /// Whether name, colon and value stand in one piece, as a head has them.
    let isLine: Bool
}

/// The header fields of one message, in order, over one block of bytes.
///
/// A picture: `bytes` = `GET /x HTTP/1.1␍␊Host: a␍␊…`, `fields` = `[(host, 16+4, 22+1), …]`.
/// A list is reused from message to message: `removeAll` keeps both blocks, so a warm list allocates
/// nothing. Looking a known name up costs one bit test when it is absent and a scan when it is there.
public struct FieldList: Sendable {
    /// The bytes in which all ranges lie. A head keeps its first line here too.
    public private(set) var bytes: [UInt8] = []
    private var fields: [Field] = []
    private var names: FieldNameSet = []
    /// Whether a request carries credentials in fields that only the configuration knows as such: an API key's,
    /// a cookie with a token.
    public var hasOtherCredentials = false

    /// Creates an empty list.
    public init() {}

    /// The number of fields.
    public var count: Int { fields.count }
    /// The positions of the fields, in the order they were sent.
    public var indices: Range<Int> { 0..<fields.count }
    /// The field at `index`.
    public subscript(index: Int) -> Field { fields[index] }

    /// Forgets everything and keeps the memory.
    public mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        fields.removeAll(keepingCapacity: true)
        names.removeAll()
        hasOtherCredentials = false
    }

    /// Whether a request carries credentials: in Authorization, or elsewhere.
    public var hasCredentials: Bool { hasOtherCredentials || contains(.authorization) }

    /// Takes a whole head as the list's bytes; fields are then recorded by position.
    public mutating func load(_ head: Span<UInt8>) {
        removeAll()
        bytes.append(head)
    }

    /// Appends bytes that belong to no field (a rewritten target) and returns where they stand.
    public mutating func appendBytes(_ extra: Span<UInt8>) -> ByteRange {
        let start = bytes.count
        bytes.append(extra)
        return ByteRange(start: start, count: extra.count)
    }

    /// Records a field whose name and value already stand in `bytes`.
    public mutating func record(name: ByteRange, value: ByteRange) {
        record(name: name, value: value, isLine: true)
    }

    private mutating func record(name: ByteRange, value: ByteRange, isLine: Bool) {
        let known = FieldName(recognising: bytes.span(name))
        fields.append(Field(name: known, nameRange: name, valueRange: value, isLine: isLine))
        names.insert(known)
    }

    /// Appends a field of a known name.
    public mutating func append(_ name: FieldName, _ value: Span<UInt8>) {
        let start = bytes.count
        bytes.append(name.text)
        let nameRange = ByteRange(start: start, count: bytes.count - start)
        fields.append(
            Field(name: name, nameRange: nameRange, valueRange: appendBytes(value), isLine: false))
        names.insert(name)
    }

    /// Appends a field of a known name with a literal value.
    public mutating func append(_ name: FieldName, _ value: StaticString) {
        let start = bytes.count
        bytes.append(name.text)
        let nameRange = ByteRange(start: start, count: bytes.count - start)
        let valueStart = bytes.count
        bytes.append(value)
        let valueRange = ByteRange(start: valueStart, count: bytes.count - valueStart)
        fields.append(
            Field(name: name, nameRange: nameRange, valueRange: valueRange, isLine: false))
        names.insert(name)
    }

    /// Appends a field of any name.
    public mutating func append(name: Span<UInt8>, value: Span<UInt8>) {
        let nameRange = appendBytes(name)
        record(name: nameRange, value: appendBytes(value), isLine: false)
    }

    /// Removes all fields of `name`; its bytes stay until `removeAll`.
    public mutating func remove(_ name: FieldName) {
        guard names.contains(name) else { return }
        fields.removeAll { $0.name == name }
        names = []
        for field in fields { names.insert(field.name) }
    }

    /// Whether a field of the known `name` is there.
    public func contains(_ name: FieldName) -> Bool { names.contains(name) }
    /// Whether a field of any of `set` is there.
    public func containsAny(of set: FieldNameSet) -> Bool { names.intersects(set) }

    /// The number of fields of `name`.
    public func count(of name: FieldName) -> Int {
        guard names.contains(name) else { return 0 }
        return fields.reduce(0) { $0 + ($1.name == name ? 1 : 0) }
    }

    /// The index of the first field of `name`, or `nil`.
    public func firstIndex(of name: FieldName) -> Int? {
        guard names.contains(name) else { return nil }
        return fields.firstIndex { $0.name == name }
    }

    /// The value of the first field of the known `name`, or `nil`.
    @_lifetime(borrow self)
    public borrowing func first(_ name: FieldName) -> Span<UInt8>? {
        guard let index = firstIndex(of: name) else { return nil }
        return bytes.span(fields[index].valueRange)
    }

    /// The value of the first field spelt `name` in any case (`name` in lower case), or `nil`.
    @_lifetime(borrow self)
    public borrowing func first(named name: Span<UInt8>) -> Span<UInt8>? {
        for index in indices where bytes.span(fields[index].nameRange).equalsIgnoringCase(name) {
            return bytes.span(fields[index].valueRange)
        }
        return nil
    }

    /// The name of the field at `index`, as it was sent.
    @_lifetime(borrow self)
    public borrowing func name(at index: Int) -> Span<UInt8> {
        bytes.span(fields[index].nameRange)
    }

    /// The value of the field at `index`.
    @_lifetime(borrow self)
    public borrowing func value(at index: Int) -> Span<UInt8> {
        bytes.span(fields[index].valueRange)
    }

    /// The field at `index` as one piece, `Name: value`, as it was sent; `nil` when it was appended.
    @_lifetime(borrow self)
    public borrowing func line(at index: Int) -> Span<UInt8>? {
        let field = fields[index]
        let nameEnd = field.nameRange.end
        guard field.isLine else { return nil }
        return bytes.span.extracting(
            Int(field.nameRange.start)..<max(nameEnd + 1, field.valueRange.end))
    }

    /// The bytes at `range`.
    @_lifetime(borrow self)
    public borrowing func span(_ range: ByteRange) -> Span<UInt8> { bytes.span(range) }
}
