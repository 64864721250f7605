import CLibYAML

/// One step of libyaml's parser as a Swift value.
struct YAMLEvent {
    enum Kind {
        case streamStart, streamEnd, documentStart, documentEnd
        case alias
        case scalar(String, YAMLNode.ScalarStyle)
        case sequenceStart, sequenceEnd, mappingStart, mappingEnd
    }
    var kind: Kind
    var range: YAMLRange
    var hasAnchor = false
    var hasTag = false
}

/// Owns a parser of libyaml and the text it reads; ends both.
///
/// The only file of the module that touches C memory. libyaml keeps a pointer to the text, so the
/// text is a copy in memory of our own that lives exactly as long as the parser.
@safe
struct EventReader: ~Copyable {
    private let parser: UnsafeMutablePointer<yaml_parser_t>
    private let text: UnsafeMutableBufferPointer<UInt8>

    /// Creates a parser for UTF-8; `nil` when there is no memory.
    init?(_ bytes: ArraySlice<UInt8>) {
        unsafe parser = .allocate(capacity: 1)
        unsafe text = .allocate(capacity: bytes.count)
        // The buffer was allocated for exactly these bytes.
        _ = unsafe text.initialize(from: bytes)
        // Initialises the whole structure, which is why allocated memory is enough.
        guard unsafe yaml_parser_initialize(parser) == 1 else {
            unsafe parser.deallocate()
            unsafe text.deallocate()
            return nil
        }
        unsafe yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
        // The text outlives the parser: both end in `deinit`, the parser first.
        unsafe yaml_parser_set_input_string(parser, text.baseAddress, text.count)
    }

    deinit {
        unsafe yaml_parser_delete(parser)
        unsafe parser.deallocate()
        unsafe text.deallocate()
    }

    /// The next event. Not to be called again after `streamEnd` or an error.
    mutating func next() throws(YAMLProblem) -> YAMLEvent {
        var event = unsafe yaml_event_t()
        guard unsafe yaml_parser_parse(parser, &event) == 1 else { throw problem() }
        // The event was filled by the call above; everything is copied out before it is deleted.
        defer { unsafe yaml_event_delete(&event) }
        return unsafe Self.value(of: event)
    }

    private static func value(of event: yaml_event_t) -> YAMLEvent {
        let range = unsafe YAMLRange(
            start: position(event.start_mark), end: position(event.end_mark))
        // Each branch reads the member of the union that belongs to the event's type.
        switch unsafe event.type {
        case YAML_STREAM_START_EVENT: return YAMLEvent(kind: .streamStart, range: range)
        case YAML_DOCUMENT_START_EVENT: return YAMLEvent(kind: .documentStart, range: range)
        case YAML_DOCUMENT_END_EVENT: return YAMLEvent(kind: .documentEnd, range: range)
        case YAML_ALIAS_EVENT: return YAMLEvent(kind: .alias, range: range)
        case YAML_SCALAR_EVENT: return unsafe scalar(event.data.scalar, range)
        case YAML_SEQUENCE_START_EVENT:
            let data = unsafe event.data.sequence_start
            return unsafe YAMLEvent(
                kind: .sequenceStart, range: range, hasAnchor: data.anchor != nil,
                hasTag: data.tag != nil)
        case YAML_SEQUENCE_END_EVENT: return YAMLEvent(kind: .sequenceEnd, range: range)
        case YAML_MAPPING_START_EVENT:
            let data = unsafe event.data.mapping_start
            return unsafe YAMLEvent(
                kind: .mappingStart, range: range, hasAnchor: data.anchor != nil,
                hasTag: data.tag != nil)
        case YAML_MAPPING_END_EVENT: return YAMLEvent(kind: .mappingEnd, range: range)
        default: return YAMLEvent(kind: .streamEnd, range: range)
        }
    }

    private typealias ScalarData = yaml_event_s.__Unnamed_union_data.__Unnamed_struct_scalar

    private static func scalar(_ data: ScalarData, _ range: YAMLRange) -> YAMLEvent {
        // `value` points to `length` bytes that live until the event is deleted.
        let bytes = unsafe UnsafeBufferPointer(start: data.value, count: data.length)
        let style: YAMLNode.ScalarStyle =
            switch unsafe data.style {
            case YAML_PLAIN_SCALAR_STYLE: .plain
            case YAML_LITERAL_SCALAR_STYLE, YAML_FOLDED_SCALAR_STYLE: .block
            default: .quoted
            }
        return unsafe YAMLEvent(
            kind: .scalar(String(decoding: bytes, as: UTF8.self), style), range: range,
            hasAnchor: data.anchor != nil, hasTag: data.tag != nil)
    }

    private static func position(_ mark: yaml_mark_t) -> YAMLPosition {
        YAMLPosition(line: mark.line + 1, column: mark.column + 1, offset: mark.index)
    }

    /// What the parser failed on. Its texts are literals of the library.
    private func problem() -> YAMLProblem {
        guard unsafe parser.pointee.error != YAML_MEMORY_ERROR else {
            let start = YAMLPosition.start
            return YAMLProblem(
                kind: .tooLarge, range: YAMLRange(start: start, end: start),
                message: "no memory left to read the text")
        }
        let place = unsafe Self.position(parser.pointee.problem_mark)
        var message = "not valid YAML"
        if let text = unsafe parser.pointee.problem {
            message += ": " + (unsafe String(cString: text))
        }
        if let text = unsafe parser.pointee.context {
            let line = unsafe parser.pointee.context_mark.line + 1
            message += " " + (unsafe String(cString: text))
            if line != place.line { message += " that begins at line \(line)" }
        }
        return YAMLProblem(
            kind: .syntax, range: YAMLRange(start: place, end: place), message: message)
    }
}
