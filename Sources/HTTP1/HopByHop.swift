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
    /// Whether the field at `index` must not be forwarded.
    ///
    /// One bit test for most messages; with a Connection field that lists more than `close` and
    /// `keep-alive`, names without a case of their own are looked up in it, at most 1024 bytes.
    public static func isHopByHop(_ index: Int, of fields: borrowing FieldList) -> Bool {
        let name = fields[index].name
        if name != .other { return isAlways(name) }
        guard fields.contains(.connection) else { return false }
        let spelt = fields.name(at: index)
        for other in fields.indices where fields[other].name == .connection {
            let value = fields.value(at: other)
            if value.equalsIgnoringCase("keep-alive") || value.equalsIgnoringCase("close") {
                continue
            }
            var cursor = ListCursor()
            while let member = cursor.next(in: value) {
                if value.extracting(member).equalsIgnoringCase(spelt) { return true }
            }
        }
        return false
    }

    private static func isAlways(_ name: FieldName) -> Bool {
        switch name {
        case .connection, .keepAlive, .proxyConnection, .te, .transferEncoding, .upgrade: true
        default: false
        }
    }
}
