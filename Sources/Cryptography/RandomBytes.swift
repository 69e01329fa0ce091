import COpenSSL

/// So many unpredictable bytes, from the generator that getrandom(2) seeds.
package func randomBytes(_ count: Int) throws(CryptographyError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    guard RAND_bytes(&bytes, Int32(count)) == 1 else {
        throw .openSSL("the system gives no randomness")
    }
    return bytes
}
