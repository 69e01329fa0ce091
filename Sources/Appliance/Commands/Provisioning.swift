import Identity
import JSON
import Platform

/// A secret from a file or standard input; without the line's end.
func readSecret(_ streams: any CommandStreams) throws -> String {
    var text = String(decoding: try streams.readInput(), as: UTF8.self)
    while text.last == "\n" || text.last == "\r" || text.last == "\r\n" { text.removeLast() }
    guard !text.isEmpty else {
        throw ApplianceError(.usage, "the secret is empty", hint: "pipe it in, or name its file")
    }
    return text
}

/// Streams whose input is the secret that an option names, read where the command was typed.
final class SecretStreams: CommandStreams {
    private let option: String
    private let source: String
    private let under: any CommandStreams

    /// `option` is one that was given: its value is a path, or `-`.
    init(_ option: String, _ parsed: ParsedArguments, over streams: any CommandStreams) {
        self.option = option
        source = parsed[option] ?? "-"
        under = streams
    }

    func write(_ text: String) { under.write(text) }
    func complain(_ text: String) { under.complain(text) }

    func readInput() throws -> [UInt8] {
        source == "-"
            ? try under.readInput() : try readSecretFile(source, option: option)
    }
}

/// The bytes of the file that an option names, or of the pipe.
func readSecretFile(_ path: String, option: String) throws(ApplianceError) -> [UInt8] {
    do throws(PlatformError) { return try LocalFileSystem().readAll(path, limit: 1 << 20) } catch {
        // It could be opened, but not be read.
        if error.code == .io {
            throw ApplianceError(
                .usage, "--\(option) names a directory or something else that cannot be read",
                hint: "give a file or a pipe that holds the secret, or - for standard input")
        }
        if error.code == .invalidArgument {
            throw ApplianceError(
                .usage, "--\(option) names a file of more than 1 MiB, which is no secret",
                hint: "give a file or a pipe that holds the secret alone")
        }
        // The value is not repeated: it may be the secret itself, typed where a file is wanted.
        throw ApplianceError(
            .usage, "--\(option) names no file that can be read",
            hint: "give a file that holds the secret, or - to pipe it in; never the secret itself")
    }
}

/// What a verb that makes a named thing says, the first time and every other.
struct Provisioned {
    let id: String
    let name: String
    let isNew: Bool
    /// What a repetition added to the thing that was there.
    let added: [String]

    func print(asJSON: Bool, _ streams: any CommandStreams) {
        if asJSON {
            let value: JSONValue = .object([
                ("id", .string(id)), ("name", .string(name)), ("created", .bool(isNew)),
            ])
            streams.write(value.encodedText() + "\n")
        } else if isNew {
            streams.write("created \(name)\n")
        } else {
            streams.write((["\(name) exists already"] + added).joined(separator: ", ") + "\n")
        }
    }
}

extension IdentityRegistry {
    /// What a user has that came with a credential.
    private static let roleOfNewUser = "engineer"

    /// The option that `ensureUser` reads.
    static let createUser = CommandOption(
        "create-user", "makes the user when there is none, with the role \(roleOfNewUser)")

    /// Makes sure that the user of a new credential is there: made with `--create-user`, else a fault that
    /// says how.
    func ensureUser(_ name: String, _ parsed: ParsedArguments) throws {
        if parsed.has("create-user") {
            try ensureAccount(commandContext(), name: name, roles: [Self.roleOfNewUser])
            return
        }
        do { _ = try account(commandContext(), named: name) } catch let error as IdentityError
            where error.code == .notFound
        {
            throw ApplianceError(
                .notFound, error.message,
                hint: "--create-user makes it; `lakehouse user list` shows those there are")
        }
    }
}
