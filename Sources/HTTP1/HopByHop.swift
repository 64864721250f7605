public import HTTPModel
import Primitives

/// Which fields of a message end at this proxy (RFC 9110 §7.6.1).
///
/// Always: `Connection`, `Keep-Alive`, `Proxy-Connection`, `TE`, `Transfer-Encoding`, `Upgrade`. `Trailer`
/// may go on. Besides, every name that a Connection field lists, except the names this proxy knows
/// (`FieldName`): those are meant for all recipients, which no connection option may name, and a client
/// that lists one (`Connection: Content-Length, X-Forwarded-For`) wants the origin to see another message
/// than the one that was limited and cached.
public enum HopByHop {
    /// Those that always do.
    public static let known: FieldNameSet = [
        .connection, .keepAlive, .proxyConnection, .te, .transferEncoding, .upgrade,
    ]

    /// Whether Connection lists more than `close` and `keep-alive`: then names without a case of their own have to be
    /// looked up in it.
    @inlinable
    @inline(__always)
    public static func listsNames(_ fields: borrowing FieldList) -> Bool {
        fields.contains(.connection) && connectionListsNames(fields)
    }

    @usableFromInline
    static func connectionListsNames(_ fields: borrowing FieldList) -> Bool {
        for index in (fields.firstIndex(of: .connection) ?? 0)..<fields.count
        where fields[index].name == .connection && !isPlain(fields.value(at: index)) {
            return true
        }
        return false
    }

    /// Whether a Connection field lists `name`.
    public static func isListed(_ name: Span<UInt8>, in fields: borrowing FieldList) -> Bool {
        for index in fields.indices where fields[index].name == .connection {
            let value = fields.value(at: index)
            if isPlain(value) { continue }
            var cursor = ListCursor()
            while let member = cursor.next(in: value) {
                if value.extracting(member).equalsIgnoringCase(name) { return true }
            }
        }
        return false
    }

    private static func isPlain(_ value: Span<UInt8>) -> Bool {
        value.equalsIgnoringCase("keep-alive") || value.equalsIgnoringCase("close")
    }
}
