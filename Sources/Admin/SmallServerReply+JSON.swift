import HTTPModel
import Primitives
import Telemetry

extension SmallServer.Reply {
    /// An answer of status 200 with one JSON object, which nobody stores.
    static func json(_ body: (inout JSONWriter) -> Void) -> SmallServer.Reply {
        let buffer = ByteBuffer(capacity: 4 << 10)
        var json = JSONWriter(to: buffer)
        json.object(body)
        buffer.append("\n")
        return SmallServer.Reply(
            200, body: buffer.readable.copied, fields: ["Cache-Control: no-store"])
    }
}
