import Authority
import CivilTime
import Identity
import JSON

/// How lists and secrets are printed: aligned columns, or JSON.
enum Listing {
    /// Prints rows under headings, or as a JSON array of objects with the headings as names.
    static func print(
        _ headings: [String], _ rows: [[JSONValue]], asJSON: Bool, _ streams: any CommandStreams
    ) {
        if asJSON {
            let objects = rows.map { row in JSONValue.object(Array(zip(headings, row))) }
            streams.write(JSONValue.array(objects).encodedText(.pretty) + "\n")
            return
        }
        let texts = rows.map { $0.map(text) }
        let widths = headings.indices.map { column in
            max(headings[column].count, texts.map { $0[column].count }.max() ?? 0)
        }
        for line in [headings] + texts {
            let cells = line.indices.map { column in
                line[column]
                    + String(repeating: " ", count: max(0, widths[column] - line[column].count))
            }
            var joined = cells.joined(separator: "  ")
            while joined.last == " " { joined.removeLast() }
            streams.write(joined + "\n")
        }
    }

    private static func text(_ value: JSONValue) -> String {
        switch value {
        case .null: "-"
        case .string(let text): text
        case .bool(let flag): flag ? "yes" : "no"
        case .number(let number): number.text
        case .array(let values): values.map(text).joined(separator: ",")
        case .object: value.encodedText()
        }
    }

    static func time(_ microseconds: Int64?) -> JSONValue {
        microseconds.map { .string(CivilFormat.rfc3339(utc: $0, precision: 0)) } ?? .null
    }

    static let json = CommandOption("json", "prints JSON")
}

/// The context of somebody at the command line: whoever may open the directory administers it.
func commandContext() -> RequestContext {
    RequestContext(principal: .system, requestID: "cli", door: .cli)
}

/// `lakehouse user …`.
enum AccountCommands {
    static let all = [create, list, disable, enable, delete, password, link]

    private static let create = Command(
        "user create", arguments: "NAME", "makes a user or service account; fine if it exists",
        options: [
            CommandOption("id", value: "ID", "a given id"),
            CommandOption("service", "a service account"),
            CommandOption("role", value: "ROLE", "gives a role; repeatable"),
            CommandOption("group", value: "GROUP", "joins a group; repeatable"),
            CommandOption("email", value: "ADDRESS", "the mail address"),
            .secret("password", "reads the password from a file or standard input"),
            Listing.json,
        ],
        example: "lakehouse user create ann --role analyst --password - < password.txt",
        makesDirectory: true,
        place: .appliance { appliance, parsed, streams in
            let context = commandContext()
            let name = try parsed.required(0, "NAME")
            let password = parsed.has("password") ? try readSecret(streams) : nil
            let roles = parsed.values("role")
            var (account, isNew) = try appliance.identity.ensureAccount(
                context, name: name, id: parsed["id"],
                kind: parsed.has("service") ? .service : .user,
                email: parsed["email"], password: password, roles: roles)
            var added: [String] = []
            if !isNew {
                try requireSame(appliance.identity, account, parsed, password)
                for role in roles where !account.roles.contains(role) {
                    try appliance.identity.assignRole(context, role, toAccount: name)
                    added.append("now has the role \(role)")
                }
            }
            for group in parsed.values("group") where !account.groups.contains(group) {
                _ = try appliance.identity.ensureGroup(context, name: group)
                try appliance.identity.addMember(context, name, toGroup: group)
                added.append("is now in the group \(group)")
            }
            account = try appliance.identity.account(context, named: name)
            if parsed.has("json") {
                let value: JSONValue = .object([
                    ("id", .string(account.id)), ("name", .string(account.name)),
                    ("kind", .string(account.kind.rawValue)),
                    ("roles", .array(account.roles.map { .string($0) })),
                    ("groups", .array(account.groups.map { .string($0) })),
                    ("created", .bool(isNew)),
                ])
                streams.write(value.encodedText() + "\n")
            } else if isNew {
                streams.write("created \(name)\n")
            } else {
                streams.write((["\(name) exists already"] + added).joined(separator: ", ") + "\n")
            }
            return 0
        })

    /// What is asked for again must not contradict what is there.
    private static func requireSame(
        _ identity: IdentityRegistry, _ account: Account, _ parsed: ParsedArguments,
        _ password: String?
    ) throws {
        func contradiction(_ what: String, _ hint: String) -> ApplianceError {
            ApplianceError(.contradiction, "\(account.name) exists already \(what)", hint: hint)
        }
        if parsed.has("service"), account.kind != .service {
            throw contradiction("and is a user, no service account", "give another name")
        }
        if let email = parsed["email"], email != account.email {
            throw contradiction(
                "with " + (account.email.map { "the mail address \($0)" } ?? "no mail address"),
                "leave --email out; people change it in the console, administrators over /api/v1")
        }
        if account.isDisabled {
            throw contradiction(
                "and is disabled", "`lakehouse user enable \(account.name)` lets it in again")
        }
        if let password,
            try !identity.hasPassword(commandContext(), account.name, password)
        {
            throw contradiction(
                "with another password or none",
                "`lakehouse user password \(account.name) --password -` changes it")
        }
    }

    private static let list = Command(
        "user list", "lists users and service accounts", options: [Listing.json],
        example: "lakehouse user list --json",
        place: .appliance { appliance, parsed, streams in
            let isJSON = parsed.has("json")
            let rows = try appliance.identity.accounts(commandContext()).map { account in
                (isJSON ? [.string(account.id)] : []) + [
                    .string(account.name), .string(account.kind.rawValue),
                    .array(account.roles.map { .string($0) }),
                    .array(account.groups.map { .string($0) }), .bool(account.isDisabled),
                    Listing.time(account.lastUsedMicroseconds),
                ] as [JSONValue]
            }
            Listing.print(
                (isJSON ? ["id"] : [])
                    + ["name", "kind", "roles", "groups", "disabled", "lastUsed"], rows,
                asJSON: isJSON, streams)
            return 0
        })

    private static func change(_ verb: String, _ summary: String, disabled: Bool) -> Command {
        Command(
            "user \(verb)", arguments: "NAME", summary, example: "lakehouse user \(verb) ann",
            place: .appliance { appliance, parsed, streams in
                _ = try appliance.identity.updateAccount(
                    commandContext(), try parsed.required(0, "NAME"), isDisabled: disabled)
                return 0
            })
    }
    private static let disable = change("disable", "shuts a user out at once", disabled: true)
    private static let enable = change("enable", "lets a user in again", disabled: false)

    private static let delete = Command(
        "user delete", arguments: "NAME", "deletes a user with keys and sessions",
        example: "lakehouse user delete ann",
        place: .appliance { appliance, parsed, _ in
            try appliance.identity.deleteAccount(
                commandContext(), try parsed.required(0, "NAME"))
            return 0
        })

    private static let password = Command(
        "user password", arguments: "NAME", "sets a password",
        options: [.secret("password", "reads it from a file or standard input")],
        example: "lakehouse user password ann --password - < password.txt",
        place: .appliance { appliance, parsed, streams in
            let name = try parsed.required(0, "NAME")
            guard parsed.has("password") else {
                throw ApplianceError(
                    .usage, "--password FILE or --password - is missing",
                    hint: "lakehouse user password \(name) --password - < password.txt")
            }
            try appliance.identity.setPassword(
                commandContext(), of: name, to: try readSecret(streams))
            return 0
        })

    private static let link = Command(
        "user link", arguments: "[NAME]", "prints a login link that works once, for 15 minutes",
        example: "lakehouse user link admin",
        place: .appliance { appliance, parsed, streams in
            let context = commandContext()
            let name = parsed.positional.first ?? "admin"
            // A directory that no server was ever started on has no administrator yet.
            if name == "admin" {
                _ = try appliance.identity.ensureAccount(context, name: name, roles: ["admin"])
            }
            let token = try appliance.identity.createLoginLink(context, account: name)
            streams.write("\(appliance.addresses.publicURL)/login?token=\(token)\n")
            return 0
        })
}
