/// Which of the 16384 slots of a cluster a key belongs to.
public enum RedisSlot {
    /// The number of slots.
    public static let count = 16384

    /// The slot of `key`: the CRC-16 of what stands between its first `{` and the next `}`, or of all of it when
    /// there is nothing between them.
    public static func of(_ key: [UInt8]) -> Int {
        if let open = key.firstIndex(of: UInt8(ascii: "{")) {
            let rest = key[(open + 1)...]
            if let close = rest.firstIndex(of: UInt8(ascii: "}")), close > open + 1 {
                return Int(crc16(key[(open + 1)..<close])) % count
            }
        }
        return Int(crc16(key[...])) % count
    }

    /// CRC-16/XMODEM: polynomial 0x1021, from 0.
    private static func crc16(_ bytes: ArraySlice<UInt8>) -> UInt16 {
        var crc: UInt16 = 0
        for byte in bytes {
            crc ^= UInt16(byte) << 8
            for _ in 0..<8 { crc = crc & 0x8000 != 0 ? crc << 1 ^ 0x1021 : crc << 1 }
        }
        return crc
    }
}
