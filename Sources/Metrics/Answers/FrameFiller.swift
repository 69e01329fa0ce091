import CivilTime
package import JSON

/// Fills the frame of a question that the grammar refuses: an OpenAI-compatible endpoint, off unless
/// configured. It sees names, never data, and what it gives is checked as if anybody had sent it.
package protocol FrameFiller: Sendable {
    /// A frame; nil when the endpoint has none to give. `now` is local time in the model's zone.
    func frame(
        for question: String, model: MetricModel, now: Int64, previous: Frame?
    ) throws(MetricError) -> Frame?
}

/// The request and the answer of a chat endpoint, as pure functions.
package enum FrameChat {
    /// The body of `POST …/chat/completions`.
    package static func request(
        _ question: String, endpointModel: String, model: MetricModel, now: Int64, previous: Frame?
    ) -> JSONValue {
        var system = """
            You translate one question into one JSON frame over the metrics named here. Use these \
            names only. If the question asks for anything else, answer {"refused": true}. Periods are \
            half open [from, to), dates in \(model.zone.name), weeks begin on Monday. \
            Now is \(CivilFormat.timestamp(now, precision: 0)). Shares are fractions: 5 % is 0.05.
            Metrics:

            """
        for metric in model.metrics {
            system += "- \(metric.name): \(metric.label) (\(metric.format.rawValue))\n"
        }
        system += "Dimensions:\n"
        for dimension in model.dimensions { system += "- \(dimension.name): \(dimension.label)\n" }
        var user = question
        if let previous { user += "\nThe frame before: \(previous.json.encodedText())" }
        return .object([
            ("model", .string(endpointModel)), ("temperature", 0),
            (
                "messages",
                [
                    ["role": "system", "content": .string(system)],
                    ["role": "user", "content": .string(user)],
                ]
            ),
            (
                "response_format",
                [
                    "type": "json_schema",
                    "json_schema": ["name": "frame", "schema": schema(model)],
                ]
            ),
        ])
    }

    /// The JSON schema of frames over one model.
    package static func schema(_ model: MetricModel) -> JSONValue {
        let metric: JSONValue = .object([
            ("type", "string"), ("enum", .array(model.metrics.map { .string($0.name) })),
        ])
        let dimension: JSONValue = .object([
            ("type", "string"), ("enum", .array(model.dimensions.map { .string($0.name) })),
        ])
        let texts: JSONValue = ["type": "array", "items": ["type": "string"]]
        let units: JSONValue = .array(
            ["hour", "day", "week", "month", "quarter", "year"].map { .string($0) })
        let period: JSONValue = [
            "type": "object", "additionalProperties": false,
            "properties": [
                "from": ["type": "string"], "to": ["type": "string"],
                "unit": .object([("type", "string"), ("enum", units)]),
                "count": ["type": "integer"],
            ],
        ]
        let relations = Threshold.Relation.allCases.map { JSONValue.string($0.rawValue) }
        return [
            "type": "object", "additionalProperties": false,
            "properties": .object([
                ("refused", ["type": "boolean"]), ("metrics", ["type": "array", "items": metric]),
                (
                    "by",
                    [
                        "type": "array",
                        "items": [
                            "anyOf": .array([
                                dimension,
                                [
                                    "type": "object",
                                    "properties": [
                                        "each": .object([("type", "string"), ("enum", units)])
                                    ],
                                ],
                                [
                                    "type": "object",
                                    "properties": [
                                        "part": .object([
                                            ("type", "string"),
                                            (
                                                "enum",
                                                .array(
                                                    TimePart.allCases.map { .string($0.rawValue) })
                                            ),
                                        ])
                                    ],
                                ],
                            ])
                        ],
                    ]
                ),
                (
                    "where",
                    [
                        "type": "array",
                        "items": [
                            "type": "object",
                            "properties": .object([
                                ("dimension", dimension), ("is", texts), ("isNot", texts),
                            ]),
                        ],
                    ]
                ),
                ("period", period), ("compareTo", period),
                (
                    "having",
                    [
                        "type": "array",
                        "items": [
                            "type": "object",
                            "properties": .object([
                                ("metric", metric),
                                (
                                    "is",
                                    .object([("type", "string"), ("enum", .array(relations))])
                                ),
                                ("value", ["type": "number"]), ("upper", ["type": "number"]),
                            ]),
                        ],
                    ]
                ),
                (
                    "order",
                    [
                        "type": "object",
                        "properties": .object([
                            ("metric", metric),
                            (
                                "direction",
                                ["type": "string", "enum": ["ascending", "descending"]]
                            ), ("count", ["type": "integer"]),
                        ]),
                    ]
                ),
            ]),
        ]
    }

    /// The frame in the body of an answer; nil for a refusal. Throws `.endpoint` for what is no chat
    /// answer, `.invalidFrame` for what is no frame.
    package static func frame(
        in body: [UInt8], model: MetricModel
    ) throws(MetricError) -> Frame? {
        let content: String
        let value: JSONValue
        do {
            let root = try JSONValue(parsing: body, depthLimit: 32).cursor
            guard let first = try root["choices"].elements().first else {
                throw MetricError(.endpoint, "the endpoint gave no choice")
            }
            content = try first["message"]["content"].string()
        } catch let error as MetricError {
            throw error
        } catch {
            throw MetricError(.endpoint, "the endpoint gave no chat answer", cause: error)
        }
        do {
            value = try JSONValue(parsing: Array(content.utf8), depthLimit: 16)
        } catch {
            throw MetricError(.invalidFrame, "the endpoint's frame is no JSON", cause: error)
        }
        if case .bool(true)? = value.cursor["refused"].value { return nil }
        guard case .object(var object) = value else {
            throw MetricError(.invalidFrame, "the endpoint's frame is no object")
        }
        object["refused"] = nil
        return try Frame(JSONCursor(.object(object)), model: model.name)
    }
}
