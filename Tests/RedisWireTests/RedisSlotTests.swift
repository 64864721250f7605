import RedisWire
import Testing

@Suite struct RedisSlotTests {
    // By CLUSTER KEYSLOT of Redis 7.0.
    @Test(arguments: [
        ("", 0), ("a", 15495), ("foo", 12182), ("123456789", 12739), ("{user1000}.following", 3443),
        ("{user1000}.followers", 3443), ("foo{}{bar}", 8363), ("foo{{bar}}zap", 4015),
        ("foo{bar}{zap}", 5061), ("{", 4092), ("{foo", 13308),
    ])
    func `the slot is that of the hash tag`(key: String, slot: Int) {
        #expect(RedisSlot.of(Array(key.utf8)) == slot)
    }
}
