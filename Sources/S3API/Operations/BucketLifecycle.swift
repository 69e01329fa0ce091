import Authority
import CivilTime
import DiskObjectStorage
import HTTPMessages
import XML

/// Source: Amazon S3 API Reference, "GetBucketLifecycleConfiguration".
enum GetBucketLifecycleConfiguration: S3Operation {
    static let name = "GetBucketLifecycleConfiguration"
    static let method = Method.get
    static let scope = S3Target.Scope.bucket
    static let query: String? = "lifecycle"
    static let permission = "s3:GetLifecycleConfiguration"

    static func respond(_ call: S3Call) throws -> Response {
        try call.allow(.objectList)
        let state = try call.store.bucketState(call.context, call.target.bucket)
        guard let rules = state.lifecycle else {
            throw S3Error(.noSuchLifecycle, "The lifecycle configuration does not exist")
        }
        var writer = XMLWriter()
        writer.element("LifecycleConfiguration", attributes: s3Namespace) { writer in
            for rule in rules.rules { writer.element("Rule") { write(&$0, rule) } }
        }
        return xmlResponse(200, writer)
    }

    private static func write(_ writer: inout XMLWriter, _ rule: LifecycleRules.Rule) {
        writer.element("ID", rule.id)
        if rule.hasPlainPrefix {
            writer.element("Prefix", rule.prefix)
        } else {
            writer.element("Filter") { filter(&$0, rule) }
        }
        writer.element("Status", rule.isEnabled ? "Enabled" : "Disabled")
        if rule.expiryDays != nil || rule.expiryMicroseconds != nil || rule.removesLoneMarkers {
            writer.element("Expiration") { writer in
                if let days = rule.expiryDays { writer.element("Days", days) }
                if let time = rule.expiryMicroseconds { writer.element("Date", xmlTime(time)) }
                if rule.removesLoneMarkers { writer.element("ExpiredObjectDeleteMarker", true) }
            }
        }
        if let days = rule.noncurrentDays {
            writer.element("NoncurrentVersionExpiration") { writer in
                writer.element("NoncurrentDays", days)
                if let kept = rule.noncurrentKept {
                    writer.element("NewerNoncurrentVersions", kept)
                }
            }
        }
        if let days = rule.uploadDays {
            writer.element("AbortIncompleteMultipartUpload") {
                $0.element("DaysAfterInitiation", days)
            }
        }
    }

    private static func filter(_ writer: inout XMLWriter, _ rule: LifecycleRules.Rule) {
        let count =
            (rule.prefix.isEmpty ? 0 : 1) + rule.tags.count + (rule.sizeAbove == nil ? 0 : 1)
            + (rule.sizeBelow == nil ? 0 : 1)
        let write = { (writer: inout XMLWriter) in
            if !rule.prefix.isEmpty || count == 0 { writer.element("Prefix", rule.prefix) }
            for (key, value) in rule.tags.sorted(by: { $0.key < $1.key }) {
                writer.element("Tag") { writer in
                    writer.element("Key", key)
                    writer.element("Value", value)
                }
            }
            if let size = rule.sizeAbove { writer.element("ObjectSizeGreaterThan", size) }
            if let size = rule.sizeBelow { writer.element("ObjectSizeLessThan", size) }
        }
        if count > 1 { writer.element("And") { write(&$0) } } else { write(&writer) }
    }
}

/// Source: Amazon S3 API Reference, "PutBucketLifecycleConfiguration".
enum PutBucketLifecycleConfiguration: S3Operation {
    static let name = "PutBucketLifecycleConfiguration"
    static let method = Method.put
    static let scope = S3Target.Scope.bucket
    static let query: String? = "lifecycle"
    static let permission = "s3:PutLifecycleConfiguration"

    static func respond(_ call: S3Call) throws -> Response {
        try call.allow(.bucketConfigure)
        let root = try call.document(limit: 1024 * 1024)
        let found = root.all("Rule")
        guard root.name == "LifecycleConfiguration", !found.isEmpty,
            found.count <= Limits.configurationRules
        else {
            throw S3Error(
                .malformedXML,
                "a LifecycleConfiguration has 1 to \(Limits.configurationRules) rules")
        }
        var rules: [LifecycleRules.Rule] = []
        for (index, element) in found.enumerated() {
            let rule = try rule(element, usualID: "rule-\(index + 1)")
            guard !rules.contains(where: { $0.id == rule.id }) else {
                throw S3Error(
                    .invalidArgument, "Rule ID must be unique. Found same ID for more than one rule"
                )
            }
            rules.append(rule)
        }
        try call.store.set(
            call.context, bucket: call.target.bucket, .lifecycle,
            LifecycleRules(rules: rules).text)
        return Response(status: 200)
    }

    private static func rule(
        _ element: XMLElement, usualID: String
    ) throws(S3Error) -> LifecycleRules.Rule {
        guard let status = element.text(of: "Status"), status == "Enabled" || status == "Disabled"
        else { throw S3Error(.malformedXML, "a rule's status is Enabled or Disabled") }
        let id = element.text(of: "ID").flatMap { $0.isEmpty ? nil : $0 } ?? usualID
        guard id.utf8.count <= 255 else {
            throw S3Error(.invalidArgument, "ID length should not exceed allowed limit of 255")
        }
        for name in ["Transition", "NoncurrentVersionTransition"]
        where element.first(name) != nil {
            throw S3Error(
                .notImplemented, "there is one storage class, so that nothing moves to one")
        }
        var rule = LifecycleRules.Rule(id: id, isEnabled: status == "Enabled")
        try readFilter(element, &rule)
        try readExpiration(element, &rule)
        if let noncurrent = element.first("NoncurrentVersionExpiration") {
            rule.noncurrentDays = try days(noncurrent, "NoncurrentDays")
            rule.noncurrentKept = try noncurrent.text(of: "NewerNoncurrentVersions").map {
                (_) throws(S3Error) in try days(noncurrent, "NewerNoncurrentVersions")
            }
        }
        if let upload = element.first("AbortIncompleteMultipartUpload") {
            rule.uploadDays = try days(upload, "DaysAfterInitiation")
        }
        guard
            rule.expiryDays != nil || rule.expiryMicroseconds != nil || rule.removesLoneMarkers
                || rule.noncurrentDays != nil || rule.uploadDays != nil
        else { throw S3Error(.malformedXML, "a rule without an action") }
        try refuseWhatCannotChoose(rule)
        return rule
    }

    /// An upload and a delete marker have neither tags nor a size.
    private static func refuseWhatCannotChoose(_ rule: LifecycleRules.Rule) throws(S3Error) {
        if rule.choosesByPrefixAlone { return }
        let what = rule.tags.isEmpty ? "ObjectSize" : "Tags"
        if rule.uploadDays != nil {
            throw S3Error(
                .invalidRequest,
                "AbortIncompleteMultipartUpload cannot be specified with \(what).",
                hint: "give it a rule of its own, with a prefix or none")
        }
        if rule.removesLoneMarkers {
            throw S3Error(
                .invalidRequest, "ExpiredObjectDeleteMarker cannot be specified with \(what).",
                hint: "give it a rule of its own, with a prefix or none")
        }
    }

    private static func readFilter(
        _ element: XMLElement, _ rule: inout LifecycleRules.Rule
    ) throws(S3Error) {
        if let prefix = element.text(of: "Prefix") {
            rule.prefix = prefix
            rule.hasPlainPrefix = true
        }
        guard let filter = element.first("Filter") else { return }
        guard element.first("Prefix") == nil else {
            throw S3Error(.malformedXML, "a rule has either a Filter or a Prefix")
        }
        let place = filter.first("And") ?? filter
        guard filter.children.count <= 1 else {
            throw S3Error(.malformedXML, "a Filter has one condition, or several in an And")
        }
        if let prefix = place.text(of: "Prefix") { rule.prefix = prefix }
        for tag in place.all("Tag") {
            guard let key = tag.text(of: "Key"), let value = tag.text(of: "Value") else {
                throw S3Error(.malformedXML, "a tag has a key and a value")
            }
            guard rule.tags.updateValue(value, forKey: key) == nil else {
                throw S3Error(.invalidRequest, "Duplicate Tag Keys are not allowed.")
            }
        }
        rule.sizeAbove = try size(place, "ObjectSizeGreaterThan")
        rule.sizeBelow = try size(place, "ObjectSizeLessThan")
    }

    private static func readExpiration(
        _ element: XMLElement, _ rule: inout LifecycleRules.Rule
    ) throws(S3Error) {
        guard let expiration = element.first("Expiration") else { return }
        if expiration.first("Days") != nil { rule.expiryDays = try days(expiration, "Days") }
        if let text = expiration.text(of: "Date") {
            let time =
                CivilParse.rfc3339(text)
                ?? CivilParse.date(text).flatMap { Microseconds.timestamp(day: $0) }
            guard let time, time % 86_400_000_000 == 0 else {
                throw S3Error(.invalidArgument, "'Date' must be at midnight GMT")
            }
            rule.expiryMicroseconds = time
        }
        rule.removesLoneMarkers = expiration.text(of: "ExpiredObjectDeleteMarker") == "true"
        let count =
            (rule.expiryDays == nil ? 0 : 1) + (rule.expiryMicroseconds == nil ? 0 : 1)
            + (rule.removesLoneMarkers ? 1 : 0)
        guard count == 1 else {
            throw S3Error(.malformedXML, "an expiration has days, a date, or delete markers")
        }
    }

    /// A number of days, or of versions, from 1 on.
    private static func days(_ element: XMLElement, _ name: String) throws(S3Error) -> Int {
        guard let number = element.text(of: name).flatMap({ Int($0) }) else {
            throw S3Error(.malformedXML, "\(name) is a number")
        }
        guard number >= 1, number <= 1_000_000 else {
            throw S3Error(.invalidArgument, "'\(name)' must be a positive integer")
        }
        return number
    }

    private static func size(_ element: XMLElement, _ name: String) throws(S3Error) -> Int64? {
        guard let text = element.text(of: name) else { return nil }
        guard let size = Int64(text), size >= 0 else {
            throw S3Error(.invalidArgument, "\(name) is a size in bytes")
        }
        return size
    }
}

/// Source: Amazon S3 API Reference, "DeleteBucketLifecycle".
enum DeleteBucketLifecycle: S3Operation {
    static let name = "DeleteBucketLifecycle"
    static let method = Method.delete
    static let scope = S3Target.Scope.bucket
    static let query: String? = "lifecycle"
    static let permission = "s3:PutLifecycleConfiguration"

    static func respond(_ call: S3Call) throws -> Response {
        try call.allow(.bucketConfigure)
        try call.store.set(call.context, bucket: call.target.bucket, .lifecycle, nil)
        return .noContent
    }
}
