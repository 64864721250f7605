import RedisWire
import Settings

/// What a server says about itself and those it follows or that follow it (INFO replication).
struct RedisReplication: Equatable {
    /// Which part it has.
    enum Part: Equatable {
        /// It is written to; the replicas that follow it now.
        case master(replicas: [RedisSettings.Place])
        /// It follows a master; whether it hears from it.
        case replica(isConnected: Bool)
    }
    /// Its part.
    let part: Part
    /// The name of the history of writes; a replica has that of its master.
    let history: String
    /// How many bytes of that history it has.
    let offset: Int64

    /// Reads the reply of INFO; `nil` when it says nothing of this.
    init?(_ reply: RedisReply) {
        guard let info = reply.bytes.map({ String(decoding: $0, as: UTF8.self) }) else {
            return nil
        }
        var values: [Substring: Substring] = [:]
        var replicas: [RedisSettings.Place] = []
        for line in info.split(whereSeparator: \.isNewline) {
            guard let colon = line.firstIndex(of: ":") else { continue }
            let (name, value) = (line[..<colon], line[line.index(after: colon)...])
            values[name] = value
            if let digit = name.dropFirst(5).first, name.hasPrefix("slave"), digit.isNumber,
                let place = RedisReplication.online(value)
            {
                replicas.append(place)
            }
        }
        history = values["master_replid"].map(String.init) ?? ""
        switch values["role"] {
        case "master":
            part = .master(replicas: replicas)
            offset = values["master_repl_offset"].flatMap { Int64($0) } ?? 0
        case "slave":
            part = .replica(isConnected: values["master_link_status"] == "up")
            offset = values["slave_repl_offset"].flatMap { Int64($0) } ?? 0
        default: return nil
        }
    }

    /// `ip=10.0.0.2,port=6379,state=online,offset=50,lag=0`.
    private static func online(_ text: Substring) -> RedisSettings.Place? {
        var host: String?
        var port: UInt16?
        var isOnline = false
        for field in text.split(separator: ",") {
            guard let equals = field.firstIndex(of: "=") else { continue }
            let value = field[field.index(after: equals)...]
            switch field[..<equals] {
            case "ip": host = String(value)
            case "port": port = UInt16(value)
            case "state": isOnline = value == "online"
            default: continue
            }
        }
        guard isOnline, let host, let port else { return nil }
        return .host(host, port: port)
    }
}
