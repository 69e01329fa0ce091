import Bytes
import Cryptography
import DiskObjectStorage
import HTTPMessages

/// What a client promises of a body: in headers before it, or in trailers behind it.
struct BodyChecks {
    var md5: [UInt8]?
    var headerValues: [ChecksumAlgorithm: [UInt8]] = [:]
    /// Announced in `x-amz-trailer`: they must come.
    private var announced: [ChecksumAlgorithm] = []

    /// Every algorithm to compute.
    var algorithms: Set<ChecksumAlgorithm> { Set(headerValues.keys).union(announced) }

    init(_ call: S3Call) throws(S3Error) {
        if let text = call.header("Content-MD5") {
            guard let value = base64Bytes(text), value.count == 16 else {
                throw S3Error(.invalidDigest, "the Content-MD5 you specified is not valid")
            }
            md5 = value
        }
        for algorithm in ChecksumAlgorithm.allCases {
            let name = Self.fieldName(algorithm)
            if let text = call.header(name) {
                headerValues[algorithm] = try Self.value(text, algorithm)
            }
        }
        guard headerValues.count <= 1 else {
            throw S3Error(.invalidRequest, "expecting a single x-amz-checksum- header")
        }
        for list in call.request.fields.values("x-amz-trailer") {
            for name in list.split(separator: ",") {
                let wanted = name.filter { $0 != " " }.lowercased()
                guard
                    let algorithm = ChecksumAlgorithm.allCases.first(where: {
                        Self.fieldName($0) == wanted
                    })
                else {
                    throw S3Error(.invalidRequest, "the trailer is not known: \(wanted)")
                }
                announced.append(algorithm)
            }
        }
    }

    /// With the trailers that came.
    func expected(trailers: [String: String]) throws(S3Error) -> ExpectedContent {
        var values = headerValues
        for algorithm in announced {
            guard let text = trailers[Self.fieldName(algorithm)] else {
                throw S3Error(
                    .invalidRequest,
                    "the announced trailer did not come: \(Self.fieldName(algorithm))")
            }
            values[algorithm] = try Self.value(text, algorithm)
        }
        return ExpectedContent(md5: md5, checksums: values)
    }

    static func fieldName(_ algorithm: ChecksumAlgorithm) -> String {
        "x-amz-checksum-" + algorithm.rawValue.lowercased()
    }

    private static func value(_ text: String, _ algorithm: ChecksumAlgorithm) throws(S3Error)
        -> [UInt8]
    {
        guard let value = base64Bytes(text), value.count == algorithm.byteCount else {
            throw S3Error(.invalidRequest, "value for \(fieldName(algorithm)) header is invalid")
        }
        return value
    }
}

/// MD5 of a document.
func md5Digest(_ bytes: [UInt8]) -> [UInt8] { Digest.md5(bytes) }

/// The algorithm that a name means; throws for an unknown one.
func checksumAlgorithm(_ name: String?) throws(S3Error) -> ChecksumAlgorithm? {
    guard let name else { return nil }
    guard let algorithm = ChecksumAlgorithm(rawValue: name.uppercased()) else {
        throw S3Error(.invalidRequest, "the checksum algorithm is not known: \(name)")
    }
    return algorithm
}
