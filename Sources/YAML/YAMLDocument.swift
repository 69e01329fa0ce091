import CYAML
import Diagnostics

/// Reads YAML text.
package enum YAMLDocument {
    /// The root of the only document of `text`. An empty text is a null scalar.
    ///
    /// `name` stands in messages: the file's path. Throws `.syntax`, `.duplicateKey`, `.unknownAlias`
    /// and `.limitExceeded`.
    package static func parse(
        _ text: String, name: String = "yaml"
    ) throws(YAMLError) -> YAMLNode {
        guard text.utf8.count <= YAMLLimits.bytes else {
            throw YAMLError(
                code: .limitExceeded,
                "the file has \(text.utf8.count) bytes, the limit is \(YAMLLimits.bytes)",
                in: name, at: SourceSpan(offset: 0, length: 0, line: 1, column: 1))
        }
        let bytes = Array(text.utf8)
        return try bytes.withUnsafeBufferPointer { bytes throws(YAMLError) in
            let reader = YAMLReader(bytes, name: name)
            return try reader.document()
        }
    }
}

/// Builds nodes from libyaml's events.
private final class YAMLReader {
    private let parser: UnsafeMutablePointer<yaml_parser_t>
    private let name: String
    private var anchors: [String: YAMLNode] = [:]
    private var nodeCount = 0

    /// The bytes must stay alive and in place as long as the reader.
    init(_ bytes: UnsafeBufferPointer<UInt8>, name: String) {
        self.name = name
        parser = .allocate(capacity: 1)
        guard yaml_parser_initialize(parser) == 1 else { preconditionFailure("out of memory") }
        yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
        yaml_parser_set_input_string(parser, bytes.baseAddress, bytes.count)
    }

    deinit {
        yaml_parser_delete(parser)
        parser.deallocate()
    }

    func document() throws(YAMLError) -> YAMLNode {
        var root: YAMLNode?
        while true {
            let event = try next()
            switch event.kind {
            case YAML_STREAM_END_EVENT:
                return root ?? scalar("", isPlain: true, event)
            case YAML_STREAM_START_EVENT, YAML_DOCUMENT_END_EVENT:
                continue
            case YAML_DOCUMENT_START_EVENT:
                guard root == nil else {
                    throw fault(.syntax, "the file has a second document", event.span)
                }
                root = try node(try next(), depth: 0)
            default:
                throw fault(.syntax, "unexpected content", event.span)
            }
        }
    }

    /// One event, copied out of libyaml's memory.
    private struct Event {
        var kind = YAML_NO_EVENT
        var text = ""
        var isPlain = false
        var anchor: String?
        var tag: String?
        var span: SourceSpan
    }

    private func next() throws(YAMLError) -> Event {
        var raw = yaml_event_t()
        guard yaml_parser_parse(parser, &raw) == 1 else {
            let problem = parser.pointee.problem.map { String(cString: $0) } ?? "not valid YAML"
            var mark = parser.pointee.problem_mark
            // Reader errors have no mark, but an offset.
            if parser.pointee.error == YAML_READER_ERROR { mark = parser.pointee.mark }
            let span = SourceSpan(
                offset: mark.index, length: 0, line: mark.line + 1, column: mark.column + 1)
            let context = parser.pointee.context.map { String(cString: $0) }
            let hint =
                problem.contains("cannot start any token")
                ? "indent with spaces, not tabs; quote texts that begin with @, ` or %"
                : problem.contains("mapping values are not allowed")
                    ? "quote texts that contain a colon and a space" : context
            throw YAMLError(code: .syntax, problem, in: name, at: span, hint: hint)
        }
        defer { yaml_event_delete(&raw) }
        let start = raw.start_mark
        var event = Event(
            kind: raw.type,
            span: SourceSpan(
                offset: start.index, length: max(0, raw.end_mark.index - start.index),
                line: start.line + 1, column: start.column + 1))
        switch raw.type {
        case YAML_SCALAR_EVENT:
            let scalar = raw.data.scalar
            event.text = String(
                decoding: UnsafeBufferPointer(start: scalar.value, count: scalar.length),
                as: UTF8.self)
            event.isPlain = scalar.style == YAML_PLAIN_SCALAR_STYLE
            (event.anchor, event.tag) = (string(scalar.anchor), string(scalar.tag))
        case YAML_ALIAS_EVENT:
            event.anchor = string(raw.data.alias.anchor)
        case YAML_SEQUENCE_START_EVENT:
            let sequence = raw.data.sequence_start
            (event.anchor, event.tag) = (string(sequence.anchor), string(sequence.tag))
        case YAML_MAPPING_START_EVENT:
            let mapping = raw.data.mapping_start
            (event.anchor, event.tag) = (string(mapping.anchor), string(mapping.tag))
        default:
            break
        }
        return event
    }

    private func string(_ text: UnsafeMutablePointer<UInt8>?) -> String? {
        text.map { String(cString: $0) }
    }

    private func fault(
        _ code: YAMLError.Code, _ text: String, _ span: SourceSpan, hint: String? = nil
    ) -> YAMLError {
        YAMLError(code: code, text, in: name, at: span, hint: hint)
    }

    private func scalar(_ text: String, isPlain: Bool, _ event: Event) -> YAMLNode {
        YAMLNode(
            kind: .scalar(text, isPlain: isPlain), span: event.span, name: name,
            tag: ownTag(event), size: 1)
    }

    private func ownTag(_ event: Event) -> String? {
        guard let tag = event.tag, !tag.hasPrefix("tag:yaml.org,2002:") else { return nil }
        return tag
    }

    private func count(_ added: Int, _ event: Event) throws(YAMLError) {
        nodeCount += added
        guard nodeCount <= YAMLLimits.nodes else {
            throw fault(
                .limitExceeded, "the document has more than \(YAMLLimits.nodes) nodes", event.span)
        }
    }

    private func node(_ event: Event, depth: Int) throws(YAMLError) -> YAMLNode {
        guard depth < YAMLLimits.depth else {
            throw fault(
                .limitExceeded, "the document nests deeper than \(YAMLLimits.depth) levels",
                event.span)
        }
        let built: YAMLNode
        switch event.kind {
        case YAML_SCALAR_EVENT:
            try count(1, event)
            let isText = event.tag == "tag:yaml.org,2002:str"
            built = scalar(event.text, isPlain: event.isPlain && !isText, event)
        case YAML_ALIAS_EVENT:
            guard let anchor = event.anchor, let target = anchors[anchor] else {
                throw fault(.unknownAlias, "no such anchor: \(event.anchor ?? "")", event.span)
            }
            try count(target.size, event)
            return target
        case YAML_SEQUENCE_START_EVENT:
            try count(1, event)
            var elements: [YAMLNode] = []
            var size = 1
            while true {
                let inner = try next()
                if inner.kind == YAML_SEQUENCE_END_EVENT { break }
                let element = try node(inner, depth: depth + 1)
                size += element.size
                elements.append(element)
            }
            built = YAMLNode(
                kind: .sequence(elements), span: event.span, name: name, tag: ownTag(event),
                size: size)
        case YAML_MAPPING_START_EVENT:
            try count(1, event)
            let entries = try mapping(depth: depth)
            built = YAMLNode(
                kind: .mapping(entries), span: event.span, name: name, tag: ownTag(event),
                size: entries.reduce(1) { $0 + $1.value.size + 1 })
        default:
            throw fault(.syntax, "unexpected content", event.span)
        }
        if let anchor = event.anchor { anchors[anchor] = built }
        return built
    }

    private func mapping(depth: Int) throws(YAMLError) -> [YAMLNode.Entry] {
        var entries: [YAMLNode.Entry] = []
        var merged: [YAMLNode.Entry] = []
        var keys: Set<String> = []
        while true {
            let event = try next()
            if event.kind == YAML_MAPPING_END_EVENT { break }
            let key = try node(event, depth: depth + 1)
            guard let text = key.text else {
                throw fault(.syntax, "the key of a mapping must be a text", event.span)
            }
            let value = try node(try next(), depth: depth + 1)
            if text == "<<", event.isPlain {
                let sources = (try? value.sequence()) ?? [value]
                for source in sources { merged += try source.mapping() }
                continue
            }
            guard keys.insert(text).inserted else {
                throw fault(
                    .duplicateKey, "the key occurs twice: \(text)", event.span,
                    hint: "remove one of them")
            }
            entries.append(.init(key: text, keySpan: event.span, value: value))
        }
        // Own keys win over merged ones, earlier merged ones over later.
        for entry in merged where keys.insert(entry.key).inserted { entries.append(entry) }
        return entries
    }
}
