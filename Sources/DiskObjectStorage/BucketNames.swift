package import ObjectStorage

/// Beginnings and ends of names that S3 keeps for itself: a client takes such a name for something else.
private let reservedStarts = ["xn--", "sthree-"]
private let reservedEnds = ["-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"]

/// Throws unless a name is one that every client can put into a host name, and takes for a bucket's.
/// Source: Amazon S3 User Guide, "General purpose bucket naming rules".
package func checkBucketName(_ name: String) throws(ObjectStoreError) {
    let bytes = Array(name.utf8)
    let isDigit = { (byte: UInt8) in byte >= 0x30 && byte <= 0x39 }
    let isWord = { (byte: UInt8) in byte >= 0x61 && byte <= 0x7A || isDigit(byte) }
    let hasOnlyAllowed = bytes.allSatisfy { isWord($0) || $0 == 0x2D || $0 == 0x2E }
    let labels = bytes.split(separator: 0x2E, omittingEmptySubsequences: false)
    // Each label of a host name begins and ends with a letter or digit.
    let areLabels = labels.allSatisfy { label in
        label.first.map(isWord) == true && label.last.map(isWord) == true
    }
    let isAddress = labels.count == 4 && labels.allSatisfy { $0.allSatisfy(isDigit) }
    guard bytes.count >= 3, bytes.count <= 63, hasOnlyAllowed, areLabels, !isAddress else {
        throw ObjectStoreError(
            code: .invalidBucketName, message: "not a bucket name: \(name)",
            hint: "3 to 63 lower-case letters, digits, dots and hyphens; a letter or digit at both "
                + "ends and beside dots; not an address")
    }
    let reserved =
        reservedStarts.first { name.hasPrefix($0) } ?? reservedEnds.first { name.hasSuffix($0) }
    if let reserved {
        throw ObjectStoreError(
            code: .invalidBucketName,
            message: "S3 keeps names with \(reserved) for itself: \(name)",
            hint: "choose another name")
    }
}
