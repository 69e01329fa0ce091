import Authority
import DiskObjectStorage
import HTTPMessages
import XML

/// Which changes are told to which webhooks; the topic is the receiver's URL.
/// Source: Amazon S3 API Reference, "GetBucketNotificationConfiguration".
enum GetBucketNotificationConfiguration: S3Operation {
    static let name = "GetBucketNotificationConfiguration"
    static let method = Method.get
    static let scope = S3Target.Scope.bucket
    static let query: String? = "notification"
    static let permission = "s3:GetBucketNotification"

    static func respond(_ call: S3Call) throws -> Response {
        try call.allow(.objectList)
        let state = try call.store.bucketState(call.context, call.target.bucket)
        var writer = XMLWriter()
        writer.element("NotificationConfiguration", attributes: s3Namespace) { writer in
            for rule in state.notifications?.rules ?? [] {
                writer.element("TopicConfiguration") { writer in
                    writer.element("Id", rule.id)
                    writer.element("Topic", rule.url)
                    for event in rule.events { writer.element("Event", event) }
                    if !rule.prefix.isEmpty || !rule.suffix.isEmpty {
                        writer.element("Filter") { writer in
                            writer.element("S3Key") { writer in
                                filterRule(&writer, "prefix", rule.prefix)
                                filterRule(&writer, "suffix", rule.suffix)
                            }
                        }
                    }
                }
            }
        }
        return xmlResponse(200, writer)
    }

    private static func filterRule(_ writer: inout XMLWriter, _ name: String, _ value: String) {
        if value.isEmpty { return }
        writer.element("FilterRule") { writer in
            writer.element("Name", name)
            writer.element("Value", value)
        }
    }
}

/// Source: Amazon S3 API Reference, "PutBucketNotificationConfiguration".
enum PutBucketNotificationConfiguration: S3Operation {
    static let name = "PutBucketNotificationConfiguration"
    static let method = Method.put
    static let scope = S3Target.Scope.bucket
    static let query: String? = "notification"
    static let permission = "s3:PutBucketNotification"

    static func respond(_ call: S3Call) throws -> Response {
        try call.allow(.bucketConfigure)
        let root = try call.document(limit: 256 * 1024)
        guard root.name == "NotificationConfiguration" else {
            throw S3Error(.malformedXML, "the document is not a NotificationConfiguration")
        }
        for element in root.children where element.name != "TopicConfiguration" {
            throw S3Error(
                .notImplemented, "\(element.name) is not offered",
                hint: "write a TopicConfiguration whose topic is the URL of a webhook")
        }
        let topics = root.all("TopicConfiguration")
        guard topics.count <= 100 else {
            throw S3Error(.invalidArgument, "a bucket tells up to 100 webhooks")
        }
        var rules: [NotificationRules.Rule] = []
        for (index, element) in topics.enumerated() {
            rules.append(try rule(element, usualID: "webhook-\(index + 1)"))
        }
        try call.store.set(
            call.context, bucket: call.target.bucket, .notifications,
            rules.isEmpty ? nil : NotificationRules(rules: rules).text)
        return Response(status: 200)
    }

    private static func rule(
        _ element: XMLElement, usualID: String
    ) throws(S3Error) -> NotificationRules.Rule {
        let url = element.text(of: "Topic") ?? ""
        guard url.hasPrefix("http://") || url.hasPrefix("https://"), url.utf8.count <= 2048 else {
            throw S3Error(
                .invalidArgument, "Unable to validate the following destination configurations",
                hint: "the topic is the URL of a webhook, http:// or https://")
        }
        let events = element.all("Event").map(\.text)
        guard !events.isEmpty, events.allSatisfy(NotificationRules.events.contains) else {
            throw S3Error(
                .invalidArgument,
                "The event is not supported for notifications: "
                    + (events.first { !NotificationRules.events.contains($0) } ?? "none"))
        }
        var prefix = ""
        var suffix = ""
        for filter in element.first("Filter")?.first("S3Key")?.all("FilterRule") ?? [] {
            switch filter.text(of: "Name")?.lowercased() {
            case "prefix": prefix = filter.text(of: "Value") ?? ""
            case "suffix": suffix = filter.text(of: "Value") ?? ""
            default:
                throw S3Error(.invalidArgument, "filter rule name must be either prefix or suffix")
            }
        }
        return NotificationRules.Rule(
            id: element.text(of: "Id").flatMap { $0.isEmpty ? nil : $0 } ?? usualID, url: url,
            events: events, prefix: prefix, suffix: suffix)
    }
}
