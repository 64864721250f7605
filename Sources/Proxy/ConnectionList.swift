/// The client connections of a worker, each knowing its place, so that one leaves in constant time.
struct ConnectionList {
    private var connections: [DownstreamConnection] = []

    var count: Int { connections.count }

    mutating func insert(_ connection: DownstreamConnection) {
        connection.place = connections.count
        connections.append(connection)
    }

    mutating func remove(_ connection: DownstreamConnection) {
        let last = connections.removeLast()
        guard last !== connection else { return }
        connections[connection.place] = last
        last.place = connection.place
    }

    /// Calls `body` with each connection; `body` must not insert or remove.
    func forEach(_ body: (DownstreamConnection) -> Void) { connections.forEach(body) }
}
