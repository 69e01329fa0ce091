import CivilTime
import ObjectStorage

/// One comparison of a statement: it holds when the request's value fits one of those named.
/// Source: IAM User Guide, "IAM JSON policy elements: Condition operators".
struct PolicyCondition: Sendable, Hashable {
    private enum Test: Sendable, Hashable {
        case text(ignoresCase: Bool, isPattern: Bool)
        case number(Order), time(Order)
        case flag, address
        /// Whether the request says nothing of it.
        case absence
    }

    private enum Order: Sendable, Hashable { case equal, less, atMost, more, atLeast }

    let key: String
    private let test: Test
    private let isNegated: Bool
    /// Holds where the request says nothing.
    private let isOptional: Bool
    private let values: [String]

    init(operation: String, key: String, values: [String]) throws(ObjectStoreError) {
        var name = operation
        // Every key here has one value, so that the two words mean the same, but for a missing one.
        for word in ["ForAnyValue:", "ForAllValues:"] where name.hasPrefix(word) {
            name = String(name.dropFirst(word.count))
        }
        let isAll = operation.hasPrefix("ForAllValues:")
        let hasSuffix = name.hasSuffix("IfExists")
        if hasSuffix { name = String(name.dropLast(8)) }
        guard let known = Self.operations[name] else {
            throw malformedPolicy("the condition operator is not known: \(operation)")
        }
        self.key = Self.normal(key)
        guard Self.keys.contains(self.key) || Self.tagName(in: self.key)?.isEmpty == false else {
            throw malformedPolicy("the condition key is not known: \(key)")
        }
        (test, isNegated) = known
        isOptional = hasSuffix || isAll
        self.values = values
        try check(operation)
    }

    /// Whether it holds only for some: what `isPublic` asks.
    var isLimiting: Bool {
        guard ["aws:sourceip", "aws:principalarn", "aws:userid", "aws:username"].contains(key),
            !isNegated, !isOptional
        else { return false }
        return !values.contains { $0 == "*" || $0 == "0.0.0.0/0" || $0 == "::/0" }
    }

    func holds(_ question: PolicyQuestion) -> Bool {
        let value = question.value(of: key)
        if case .absence = test { return (value == nil) == (values.first?.lowercased() == "true") }
        // A negated comparison holds where there is nothing to compare, as in IAM.
        guard let value else { return isOptional || isNegated }
        let isMet = values.contains { fits(question.filled($0), value) }
        return isMet != isNegated
    }

    private func fits(_ wanted: String, _ value: String) -> Bool {
        switch test {
        case .text(let ignoresCase, let isPattern):
            let left = ignoresCase ? wanted.lowercased() : wanted
            let right = ignoresCase ? value.lowercased() : value
            return isPattern ? wildcardMatches(left, right) : left.utf8.elementsEqual(right.utf8)
        case .number(let order):
            guard let left = Double(value), let right = Double(wanted) else { return false }
            return Self.compare(left, right, order)
        case .time(let order):
            guard let left = Self.seconds(value), let right = Self.seconds(wanted) else {
                return false
            }
            return Self.compare(left, right, order)
        case .flag: return wanted.lowercased() == value.lowercased()
        case .address: return AddressRange(wanted)?.contains(value) ?? false
        case .absence: return false
        }
    }

    private func check(_ operation: String) throws(ObjectStoreError) {
        guard !values.isEmpty else { throw malformedPolicy("a condition without values: \(key)") }
        for value in values where !value.contains("${") {
            let isSound: Bool =
                switch test {
                case .text: true
                case .number: Double(value) != nil
                case .time: Self.seconds(value) != nil
                case .flag, .absence: ["true", "false"].contains(value.lowercased())
                case .address: AddressRange(value) != nil
                }
            guard isSound else {
                throw malformedPolicy("not a value for \(operation): \(value)")
            }
        }
    }

    private static func compare(_ left: Double, _ right: Double, _ order: Order) -> Bool {
        switch order {
        case .equal: left == right
        case .less: left < right
        case .atMost: left <= right
        case .more: left > right
        case .atLeast: left >= right
        }
    }

    private static func seconds(_ text: String) -> Double? {
        if let number = Double(text) { return number }
        return CivilParse.rfc3339(text).map { Double($0) / 1_000_000 }
            ?? CivilParse.date(text).map { Double($0) * 86_400 }
    }

    private static let operations: [String: (Test, isNegated: Bool)] = {
        var all: [String: (Test, isNegated: Bool)] = [
            "Bool": (.flag, false), "Null": (.absence, false),
            "IpAddress": (.address, false), "NotIpAddress": (.address, true),
        ]
        let texts: [(String, Test)] = [
            ("StringEquals", .text(ignoresCase: false, isPattern: false)),
            ("StringEqualsIgnoreCase", .text(ignoresCase: true, isPattern: false)),
            ("StringLike", .text(ignoresCase: false, isPattern: true)),
            ("ArnEquals", .text(ignoresCase: false, isPattern: true)),
            ("ArnLike", .text(ignoresCase: false, isPattern: true)),
        ]
        for (name, test) in texts {
            all[name] = (test, false)
            let negated =
                name.hasPrefix("String")
                ? "StringNot" + name.dropFirst(6) : "ArnNot" + name.dropFirst(3)
            all[negated] = (test, true)
        }
        let orders: [(String, Order)] = [
            ("Equals", .equal), ("LessThan", .less), ("LessThanEquals", .atMost),
            ("GreaterThan", .more), ("GreaterThanEquals", .atLeast),
        ]
        for (name, order) in orders {
            all["Numeric" + name] = (.number(order), false)
            all["Date" + name] = (.time(order), false)
        }
        all["NumericNotEquals"] = (.number(.equal), true)
        all["DateNotEquals"] = (.time(.equal), true)
        return all
    }()

    /// Begins keys that go on with a tag's name, which keeps its case: the tags that an object has, and
    /// those that a request gives it.
    static let existingTag = "s3:existingobjecttag/"
    static let requestTag = "s3:requestobjecttag/"

    /// A condition key as it is looked up.
    static func normal(_ key: String) -> String {
        guard let slash = key.utf8.firstIndex(of: UInt8(ascii: "/")) else {
            return key.lowercased()
        }
        return key[...slash].lowercased() + key[key.utf8.index(after: slash)...]
    }

    /// The tag that a key asks about; nil where it asks about none.
    static func tagName(in key: String) -> String? {
        for start in [existingTag, requestTag] where key.hasPrefix(start) {
            return String(key.dropFirst(start.count))
        }
        return nil
    }

    /// What requests are asked about, in lower case.
    static let keys: Set<String> = [
        "aws:sourceip", "aws:securetransport", "aws:username", "aws:userid", "aws:principalarn",
        "aws:principaltype", "aws:currenttime", "aws:epochtime", "aws:referer", "aws:useragent",
        "s3:prefix", "s3:delimiter", "s3:max-keys", "s3:versionid", "s3:x-amz-acl",
        "s3:x-amz-copy-source", "s3:x-amz-metadata-directive", "s3:x-amz-storage-class",
        "s3:x-amz-server-side-encryption", "s3:x-amz-content-sha256", "s3:authtype",
        "s3:signatureversion", "s3:object-lock-mode", "s3:object-lock-legal-hold",
    ]
}

/// Addresses with a common beginning, such as `10.0.0.0/8` or `fd00::/8`.
struct AddressRange: Sendable, Hashable {
    private let bytes: [UInt8]
    private let bitCount: Int

    init?(_ text: String) {
        let halves = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = halves.first, let address = Self.parse(String(first)) else { return nil }
        bytes = address
        if halves.count == 2 {
            guard let bits = Int(halves[1]), bits >= 0, bits <= address.count * 8 else {
                return nil
            }
            bitCount = bits
        } else {
            bitCount = address.count * 8
        }
    }

    func contains(_ text: String) -> Bool {
        guard let other = Self.parse(text), other.count == bytes.count else { return false }
        var left = bitCount
        for index in bytes.indices {
            if left <= 0 { return true }
            let mask = left >= 8 ? UInt8.max : ~(UInt8.max >> UInt8(left))
            guard bytes[index] & mask == other[index] & mask else { return false }
            left -= 8
        }
        return true
    }

    /// Four bytes, or sixteen; an IPv4 address in IPv6's clothes is an IPv4 address.
    static func parse(_ text: String) -> [UInt8]? {
        if !text.contains(":") { return parse4(text) }
        let tail = text.lowercased().hasPrefix("::ffff:") ? String(text.dropFirst(7)) : ""
        if tail.contains("."), let address = parse4(tail) { return address }
        return parse6(text)
    }

    private static func parse4(_ text: String) -> [UInt8]? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        let bytes = parts.compactMap { UInt8($0) }
        return parts.count == 4 && bytes.count == 4 ? bytes : nil
    }

    private static func parse6(_ text: String) -> [UInt8]? {
        let bytes = Array(text.prefix { $0 != "%" }.utf8)
        let colon = UInt8(ascii: ":")
        let gap = bytes.indices.dropLast().first { bytes[$0] == colon && bytes[$0 + 1] == colon }
        let left = words(gap.map { bytes[..<$0] } ?? bytes[...])
        let right = words(gap.map { bytes[($0 + 2)...] } ?? [])
        guard let left, let right else { return nil }
        let missing = 8 - left.count - right.count
        guard gap == nil ? missing == 0 : missing > 0 else { return nil }
        let all = left + [UInt16](repeating: 0, count: missing) + right
        return all.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] }
    }

    /// Words between colons; nil when one is none.
    private static func words(_ bytes: ArraySlice<UInt8>) -> [UInt16]? {
        if bytes.isEmpty { return [] }
        let parts = bytes.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        guard parts.count <= 8 else { return nil }
        let words = parts.compactMap { part in
            part.count <= 4 ? UInt16(String(decoding: part, as: UTF8.self), radix: 16) : nil
        }
        return words.count == parts.count ? words : nil
    }
}
