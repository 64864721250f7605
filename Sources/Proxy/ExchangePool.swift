/// A worker's exchanges between two requests: the one used last goes first, so those at the bottom are the ones that
/// only a burst has needed.
struct ExchangePool {
    private var idle: [Exchange] = []
    /// The fewest that were idle at once since `shrink` was called last: so many nobody has needed.
    private var fewestIdle = 0

    /// Exchanges that wait for a request.
    var count: Int { idle.count }

    /// A warm exchange, or a new one.
    mutating func take() -> Exchange {
        guard let warm = idle.popLast() else { return Exchange() }
        if idle.count < fewestIdle { fewestIdle = idle.count }
        return warm
    }

    /// Takes an exchange back; beyond `Bounds.pooledExchanges` it is freed.
    mutating func giveBack(_ exchange: Exchange) {
        guard idle.count < Bounds.pooledExchanges else { return }
        exchange.reset()
        idle.append(exchange)
    }

    /// Frees those that nobody has needed since the last call, but for a few.
    mutating func shrink() {
        let unneeded = min(fewestIdle, idle.count - Bounds.keptExchanges)
        if unneeded > 0 { idle.removeFirst(unneeded) }
        fewestIdle = idle.count
    }
}
