import JSON

/// What the command line and a running server say to each other over `DIR/control.sock`.
///
/// One connection carries one command. The client sends one line, the server answers lines until
/// `exit`. Each line is a JSON object:
///
///     client  {"arguments": ["key", "create", …], "input": "…"}
///     server  {"out": "text"}   {"err": "text"}   {"exit": 0}
enum ControlMessage {
    case out(String)
    case complaint(String)
    case exit(Int32)

    var line: [UInt8] {
        let value: JSONValue
        switch self {
        case .out(let text): value = .object([("out", .string(text))])
        case .complaint(let text): value = .object([("err", .string(text))])
        case .exit(let code): value = .object([("exit", .int(Int64(code)))])
        }
        return value.encoded() + [0x0A]
    }

    init?(line: [UInt8]) {
        guard let message = try? JSONValue(parsing: line).cursor else { return nil }
        if let text = try? message["out"].optionalString() {
            self = .out(text)
        } else if let text = try? message["err"].optionalString() {
            self = .complaint(text)
        } else if let code = try? message["exit"].optionalInt64() {
            self = .exit(Int32(clamping: code))
        } else {
            return nil
        }
    }
}

/// A command as the client sends it.
struct ControlRequest {
    var arguments: [String]
    /// What the client had on standard input; empty when the command did not ask for it.
    var input: String

    var line: [UInt8] {
        let value = JSONValue.object([
            ("arguments", .array(arguments.map { .string($0) })), ("input", .string(input)),
        ])
        return value.encoded() + [0x0A]
    }

    init(arguments: [String], input: String) {
        self.arguments = arguments
        self.input = input
    }

    init?(line: [UInt8]) {
        guard let request = try? JSONValue(parsing: line).cursor,
            let arguments = try? request["arguments"].strings()
        else { return nil }
        let input = (try? request["input"].optionalString()) ?? nil
        self.init(arguments: arguments, input: input ?? "")
    }
}

/// Splits a byte stream into lines.
struct LineBuffer {
    private var bytes: [UInt8] = []
    /// A line longer than this ends the conversation.
    static let limit = 64 << 20

    /// Takes bytes in; false when a line is too long.
    mutating func append(_ more: [UInt8]) -> Bool {
        bytes += more
        return bytes.count <= LineBuffer.limit
    }

    mutating func next() -> [UInt8]? {
        guard let end = bytes.firstIndex(of: 0x0A) else { return nil }
        let line = Array(bytes[..<end])
        bytes.removeFirst(end + 1)
        return line
    }
}
