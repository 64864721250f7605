internal import COpenSSL
import Primitives

/// The SHA-1 digest (FIPS 180-4), by which Redis names scripts. Not for secrets.
enum SHA1 {
    /// The digest of `message` in 40 lower-case hexadecimal digits.
    static func hexadecimal(of message: [UInt8]) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: 20)
        // OpenSSL writes the 20 bytes that are there, and reads nothing beyond `message`.
        unsafe message.withUnsafeBufferPointer { source in
            unsafe digest.withUnsafeMutableBufferPointer { target in
                _ = unsafe COpenSSL.SHA1(source.baseAddress, source.count, target.baseAddress)
            }
        }
        let digits = Array("0123456789abcdef".utf8)
        return digest.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
    }
}
