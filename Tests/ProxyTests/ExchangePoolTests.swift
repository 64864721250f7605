import Primitives
import Testing

@testable import Proxy

@Suite struct ExchangePoolTests {
    /// Takes `count` at once and gives them back.
    private func burst(_ count: Int, in pool: inout ExchangePool) {
        let taken = (0..<count).map { _ in pool.take() }
        for exchange in taken { pool.giveBack(exchange) }
    }

    @Test func `what only a burst has needed is freed at the second look`() {
        var pool = ExchangePool()
        burst(100, in: &pool)
        pool.shrink()
        #expect(pool.count == 100)
        burst(30, in: &pool)
        pool.shrink()
        #expect(pool.count == 30)
        pool.shrink()
        #expect(pool.count == Bounds.keptExchanges)
        pool.shrink()
        #expect(pool.count == Bounds.keptExchanges)
    }

    @Test func `the one used last goes first, and no more are kept than the bound says`() {
        var pool = ExchangePool()
        burst(Bounds.pooledExchanges + 50, in: &pool)
        #expect(pool.count == Bounds.pooledExchanges)
        let last = pool.take()
        pool.giveBack(last)
        #expect(pool.take() === last)
    }

    @Test func `a pooled exchange has no more than a small buffer of a large request`() {
        var pool = ExchangePool()
        let exchange = pool.take()
        exchange.input.reserve(1 << 20)
        exchange.output.reserve(1 << 20)
        pool.giveBack(exchange)
        #expect(exchange.input.capacity == Bounds.pooledBuffer)
        #expect(exchange.output.capacity == Bounds.pooledBuffer)
    }
}
