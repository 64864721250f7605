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
    @usableFromInline let isLine: Bool

    /// A field of a head's line, whose `name` is what the bytes of `nameRange` spell.
    public init(line name: FieldName, nameRange: ByteRange, valueRange: ByteRange) {
        self.init(name, nameRange, valueRange, isLine: true)
    }

    @inline(__always)
    init(_ name: FieldName, _ nameRange: ByteRange, _ valueRange: ByteRange, isLine: Bool) {
        self.name = name
        self.nameRange = nameRange
        self.valueRange = valueRange
        self.isLine = isLine
    }

    /// No field.
    static var none: Field { Field(.other, .empty, .empty, isLine: false) }

    /// Where its line stands in `bytes`, the list's, with its CRLF; `nil` when it was appended, or has white space at
    /// its end.
    @inlinable
    @inline(__always)
    public func line(in bytes: Span<UInt8>) -> Range<Int>? {
        let end = max(nameRange.end &+ 1, valueRange.end)
        // In a head that was read every CR ends a line.
        guard isLine, end &+ 2 <= bytes.count, bytes[end] == ASCII.cr else { return nil }
        return Int(nameRange.start)..<(end &+ 2)
    }
}

/// The header fields of one message, in order, over one block of bytes.
///
/// A picture: `bytes` = `GET /x HTTP/1.1␍␊Host: a␍␊…`, `fields` = `[(host, 16+4, 22+1), …]`.
/// A list is reused from message to message: `removeAll` keeps both blocks, so a warm list allocates
/// nothing. Looking a known name up costs one bit test when it is absent and a scan when it is there.
public struct FieldList: Sendable {
    @usableFromInline var text = ReusedList<UInt8>()
    @usableFromInline var fields = ReusedList<Field>()
    private var names = FieldNameTally()
    /// Whether a request carries credentials in fields that only the configuration knows as such: an API key's,
    /// a cookie with a token.
    public var hasOtherCredentials = false

    /// Creates an empty list.
    public init() {}

    /// The bytes in which all ranges lie. A head keeps its first line here too.
    public var bytes: Span<UInt8> {
        @_lifetime(borrow self) get { text.span }
    }
    /// The number of fields.
    public var count: Int { fields.count }
    /// The positions of the fields, in the order they were sent.
    public var indices: Range<Int> { fields.indices }
    /// The field at `index`.
    public subscript(index: Int) -> Field { fields[index] }

    /// Forgets everything and keeps the memory.
    public mutating func removeAll() {
        text.removeAll()
        fields.removeAll()
        names.removeAll()
        hasOtherCredentials = false
    }

    /// Whether a request carries credentials: in Authorization, or elsewhere.
    public var hasCredentials: Bool { hasOtherCredentials || contains(.authorization) }

    /// Takes a whole head as the list's bytes; fields are then recorded by position.
    public mutating func load(_ head: Span<UInt8>) {
        removeAll()
        text.append(head)
    }

    /// Appends bytes that belong to no field (a rewritten target) and returns where they stand.
    public mutating func appendBytes(_ extra: Span<UInt8>) -> ByteRange {
        let start = text.count
        text.append(extra)
        return ByteRange(start: start, count: extra.count)
    }

    /// Records a field whose name and value already stand in `bytes`.
    public mutating func record(name: ByteRange, value: ByteRange) {
        let known = FieldName(recognising: text.span, in: name)
        record(Field(line: known, nameRange: name, valueRange: value))
    }

    @inline(__always)
    private mutating func record(_ field: Field) {
        fields.append(field)
        names.insert(field.name)
    }

    /// The fields, and behind them room for `more`, to be filled and then recorded.
    @inline(__always)
    @_lifetime(&self)
    public mutating func withRoom(for more: Int) -> MutableSpan<Field> {
        fields.withRoom(for: more, filler: .none)
    }

    /// Records the next `more` fields of the room.
    @inline(__always)
    public mutating func record(_ more: Int) {
        let start = count
        fields.take(more)
        for index in start..<count { names.insert(fields[index].name) }
    }

    /// Appends a field of a known name.
    public mutating func append(_ name: FieldName, _ value: Span<UInt8>) {
        let nameRange = appendBytes(name.text.bytes)
        record(Field(name, nameRange, appendBytes(value), isLine: false))
    }

    /// Appends a field of a known name with a literal value.
    public mutating func append(_ name: FieldName, _ value: StaticString) {
        append(name, value.bytes)
    }

    /// Appends a field of any name.
    public mutating func append(name: Span<UInt8>, value: Span<UInt8>) {
        let nameRange = appendBytes(name)
        record(
            Field(FieldName(recognising: name), nameRange, appendBytes(value), isLine: false))
    }

    /// Removes all fields of `name`; its bytes stay until `removeAll`.
    public mutating func remove(_ name: FieldName) {
        guard names.once.contains(name) else { return }
        fields.removeAll { $0.name == name }
        names.removeAll()
        for index in indices { names.insert(fields[index].name) }
    }

    /// Whether a field of the known `name` is there.
    public func contains(_ name: FieldName) -> Bool { names.once.contains(name) }
    /// Whether two fields of the known `name` are there, or more.
    public func repeats(_ name: FieldName) -> Bool { names.twice.contains(name) }
    /// Whether a field of any of `set` is there.
    public func containsAny(of set: FieldNameSet) -> Bool { names.once.intersects(set) }

    /// The number of fields of `name`.
    public func count(of name: FieldName) -> Int {
        guard names.once.contains(name) else { return 0 }
        var count = 0
        for index in indices where fields[index].name == name { count += 1 }
        return count
    }

    /// The index of the first field of `name`, or `nil`.
    public func firstIndex(of name: FieldName) -> Int? {
        guard names.once.contains(name) else { return nil }
        var index = 0
        while fields[index].name != name { index += 1 }
        return index
    }

    /// The value of the first field of the known `name`, or `nil`.
    @_lifetime(borrow self)
    public borrowing func first(_ name: FieldName) -> Span<UInt8>? {
        guard let index = firstIndex(of: name) else { return nil }
        return text.span(fields[index].valueRange)
    }

    /// The value of the first field spelt `name` in any case (`name` in lower case), or `nil`.
    @_lifetime(borrow self)
    public borrowing func first(named name: Span<UInt8>) -> Span<UInt8>? {
        for index in indices where text.span(fields[index].nameRange).equalsIgnoringCase(name) {
            return text.span(fields[index].valueRange)
        }
        return nil
    }

    /// The name of the field at `index`, as it was sent.
    @inlinable
    @inline(__always)
    @_lifetime(borrow self)
    public borrowing func name(at index: Int) -> Span<UInt8> {
        text.span(fields[index].nameRange)
    }

    /// The value of the field at `index`.
    @inlinable
    @inline(__always)
    @_lifetime(borrow self)
    public borrowing func value(at index: Int) -> Span<UInt8> {
        text.span(fields[index].valueRange)
    }

    /// The bytes at `range`.
    @inlinable
    @inline(__always)
    @_lifetime(borrow self)
    public borrowing func span(_ range: ByteRange) -> Span<UInt8> { text.span(range) }
}
