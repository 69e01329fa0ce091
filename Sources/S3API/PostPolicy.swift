import Bytes
import CivilTime
import JSON
import Platform

/// The fields of a form, by lower-case names.
struct FormFields {
    var values: [String: String] = [:]

    subscript(_ name: String) -> String? { values[name] }

    /// The policy in it, if it can be read.
    var policy: PostPolicy? {
        self["policy"].flatMap { base64Bytes($0) }.flatMap { PostPolicy(bytes: $0) }
    }
}

/// What the one who signed a form lets others fill in.
/// Source: Amazon S3 API Reference, "Creating a POST Policy".
struct PostPolicy {
    private enum Condition {
        case equals(String, String)
        case startsWith(String, String)

        var field: String {
            switch self {
            case .equals(let field, _), .startsWith(let field, _): field
            }
        }

        /// Whether the key is wanted to be this very text.
        func isKey(_ text: String) -> Bool {
            if case .equals("key", _) = self { return holds(text) }
            return false
        }

        func holds(_ value: String) -> Bool {
            switch self {
            case .equals(_, let wanted): value.utf8.elementsEqual(wanted.utf8)
            case .startsWith(_, let prefix): value.utf8.starts(with: prefix.utf8)
            }
        }
    }

    private let expiresMicroseconds: Int64
    private let conditions: [Condition]
    /// How many bytes the object may have.
    let lengths: ClosedRange<Int64>?

    init?(bytes: [UInt8]) {
        guard bytes.count <= 64 * 1024, let root = try? JSONValue(parsing: bytes, depthLimit: 8),
            let text = try? root.cursor["expiration"].string(),
            text.hasSuffix("Z"), text.utf8.dropFirst(10).first == UInt8(ascii: "T"),
            let expires = CivilParse.rfc3339(text),
            let all = try? root.cursor["conditions"].elements(), all.count <= 200
        else { return nil }
        expiresMicroseconds = expires
        var conditions: [Condition] = []
        var lengths: ClosedRange<Int64>?
        for entry in all {
            if entry.isObject {
                guard let members = try? entry.stringMap(), members.count == 1 else { return nil }
                for (name, value) in members {
                    conditions.append(.equals(name.lowercased(), value))
                }
                continue
            }
            guard let parts = try? entry.elements(), parts.count == 3,
                let word = try? parts[0].string().lowercased()
            else { return nil }
            if word == "content-length-range" {
                guard let low = Self.number(parts[1]), let high = Self.number(parts[2]), low >= 0,
                    low <= high
                else { return nil }
                lengths = low...high
                continue
            }
            guard let field = try? parts[1].string(), field.hasPrefix("$"),
                let value = try? parts[2].string()
            else { return nil }
            let name = field.dropFirst().lowercased()
            switch word {
            case "eq": conditions.append(.equals(name, value))
            case "starts-with": conditions.append(.startsWith(name, value))
            default: return nil
            }
        }
        self.conditions = conditions
        self.lengths = lengths
    }

    private static func number(_ at: JSONCursor) -> Int64? {
        (try? at.int64()) ?? (try? at.string()).flatMap { Int64($0) }
    }

    /// Throws unless the form is one that the policy allows: every field in it is covered by a condition.
    /// `key` is that of the object, with the file's name filled in; who signed `a/${filename}` as the
    /// whole field means every name.
    func check(
        _ form: FormFields, bucket: String, key: String, now: WallTime
    ) throws(S3Error) {
        guard now.microseconds < expiresMicroseconds else {
            throw S3Error(.accessDenied, "Invalid according to Policy: Policy expired.")
        }
        var fields = form.values
        fields["bucket"] = bucket
        let template = fields["key"] ?? ""
        fields["key"] = key
        for condition in conditions {
            guard condition.holds(fields[condition.field] ?? "") || condition.isKey(template) else {
                throw S3Error(
                    .accessDenied,
                    "Invalid according to Policy: Policy Condition failed: \(condition.field)")
            }
        }
        let covered = Set(conditions.map(\.field))
        let free: Set = [
            "policy", "x-amz-signature", "signature", "file", "bucket", "awsaccesskeyid",
        ]
        for name in fields.keys.sorted()
        where !covered.contains(name) && !free.contains(name) && !name.hasPrefix("x-ignore-") {
            throw S3Error(
                .accessDenied,
                "Invalid according to Policy: Extra input fields: \(name)")
        }
    }
}
