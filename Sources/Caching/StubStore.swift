public import Primitives
public final class MemoryStore: Sendable {
  public struct Stats { public var bytes = 0, entries = 0; public var evictions: UInt64 = 0 }
  public init(bytes: Int, seed: KeyedHasher.Seed) {}
  public var statistics: Stats { Stats() }
}
public final class StoreNode { }
