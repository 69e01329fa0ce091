import Identity
import JSON

/// `lakehouse group …`.
enum GroupCommands {
    static let all = [
        Command(
            "group create", arguments: "NAME", "makes a group; fine if it exists",
            options: [CommandOption("role", value: "ROLE", "gives the group a role; repeatable")],
            example: "lakehouse group create fraud-team --role analyst",
            place: .appliance { appliance, parsed, streams in
                let name = try parsed.required(0, "NAME")
                let (_, isNew) = try appliance.identity.ensureGroup(commandContext(), name: name)
                for role in parsed.values("role") {
                    try appliance.identity.setRole(
                        commandContext(), role, ofGroup: name, isAssigned: true)
                }
                streams.write(isNew ? "created \(name)\n" : "\(name) exists already\n")
                return 0
            }),
        Command(
            "group add", arguments: "GROUP USER", "puts a user into a group",
            example: "lakehouse group add fraud-team ann",
            place: .appliance { appliance, parsed, _ in
                try appliance.identity.addMember(
                    commandContext(), try parsed.required(1, "USER"),
                    toGroup: try parsed.required(0, "GROUP"))
                return 0
            }),
        Command(
            "group remove", arguments: "GROUP USER", "takes a user out of a group",
            example: "lakehouse group remove fraud-team ann",
            place: .appliance { appliance, parsed, _ in
                try appliance.identity.removeMember(
                    commandContext(), try parsed.required(1, "USER"),
                    fromGroup: try parsed.required(0, "GROUP"))
                return 0
            }),
        Command(
            "group list", "lists groups with members and roles", options: [Listing.json],
            example: "lakehouse group list",
            place: .appliance { appliance, parsed, streams in
                let rows = try appliance.identity.groups(commandContext()).map { group in
                    [
                        .string(group.name), .array(group.members.map { .string($0) }),
                        .array(group.roles.map { .string($0) }),
                    ] as [JSONValue]
                }
                Listing.print(
                    ["name", "members", "roles"], rows, asJSON: parsed.has("json"), streams)
                return 0
            }),
        Command(
            "group delete", arguments: "NAME", "deletes a group",
            example: "lakehouse group delete fraud-team",
            place: .appliance { appliance, parsed, _ in
                try appliance.identity.deleteGroup(
                    commandContext(), try parsed.required(0, "NAME"))
                return 0
            }),
    ]
}

/// `lakehouse role …`.
enum RoleCommands {
    static let all = [
        Command(
            "role list", "lists roles with their grants", options: [Listing.json],
            example: "lakehouse role list",
            place: .appliance { appliance, parsed, streams in
                let rows = try appliance.identity.roles(commandContext()).map { role in
                    [
                        .string(role.name), .bool(role.isBuiltIn),
                        .array(
                            role.grants.map {
                                .string(
                                    "\($0.effect.rawValue) \($0.actions.joined(separator: "+")) on \($0.resource)"
                                )
                            }),
                    ] as [JSONValue]
                }
                Listing.print(
                    ["name", "builtIn", "grants"], rows, asJSON: parsed.has("json"), streams)
                return 0
            }),
        Command(
            "role create", arguments: "NAME", "makes a role; fine if it exists",
            options: [
                CommandOption(
                    "grant", value: "ACTION@RESOURCE",
                    "allows an action, such as table.select@table:silver/*; repeatable")
            ], example: "lakehouse role create reader --grant 'table.select@table:silver/*'",
            place: .appliance { appliance, parsed, streams in
                let name = try parsed.required(0, "NAME")
                var grants: [Grant] = []
                for text in parsed.values("grant") {
                    let parts = text.split(separator: "@", maxSplits: 1)
                    guard parts.count == 2 else {
                        throw ApplianceError(.usage, "--grant wants ACTION@RESOURCE: \(text)")
                    }
                    grants.append(
                        Grant(
                            actions: parts[0].split(separator: ",").map(String.init),
                            resource: String(parts[1])))
                }
                let (_, isNew) = try appliance.identity.ensureRole(
                    commandContext(), name: name, grants: grants)
                streams.write(isNew ? "created \(name)\n" : "\(name) exists already\n")
                return 0
            }),
        Command(
            "role assign", arguments: "ROLE USER", "gives a user a role",
            example: "lakehouse role assign analyst ann",
            place: .appliance { appliance, parsed, _ in
                try appliance.identity.assignRole(
                    commandContext(), try parsed.required(0, "ROLE"),
                    toAccount: try parsed.required(1, "USER"))
                return 0
            }),
        Command(
            "role unassign", arguments: "ROLE USER", "takes a role from a user",
            example: "lakehouse role unassign analyst ann",
            place: .appliance { appliance, parsed, _ in
                try appliance.identity.unassignRole(
                    commandContext(), try parsed.required(0, "ROLE"),
                    fromAccount: try parsed.required(1, "USER"))
                return 0
            }),
        Command(
            "role delete", arguments: "NAME", "deletes a role that is not built in",
            example: "lakehouse role delete reader",
            place: .appliance { appliance, parsed, _ in
                try appliance.identity.deleteRole(commandContext(), try parsed.required(0, "NAME"))
                return 0
            }),
    ]
}

/// `lakehouse key …`: S3 access keys.
enum KeyCommands {
    static let all = [
        Command(
            "key create", "makes an S3 access key and prints it once",
            options: [
                CommandOption("user", value: "NAME", "whose key"),
                CommandOption("create-user", "makes the user when there is none"),
                CommandOption("id", value: "ID", "a given access key id"),
                CommandOption("secret", value: "-", "reads a given secret from standard input"),
                CommandOption("days", value: "N", "expires after N days"), Listing.json,
            ], example: "lakehouse key create --user etl --create-user --json",
            place: .appliance { appliance, parsed, streams in
                guard let user = parsed["user"] else {
                    throw ApplianceError(.usage, "--user NAME is missing", hint: "see --help")
                }
                let key = try appliance.identity.createAccessKey(
                    commandContext(), account: user, createAccount: parsed.has("create-user"),
                    id: parsed["id"],
                    secret: try parsed["secret"].map { try readSecret($0, streams) },
                    lifetime: try parsed.integer("days").map { .seconds($0 * 86_400) })
                if parsed.has("json") {
                    let value: JSONValue = .object([
                        ("accessKeyId", .string(key.accessKeyID)),
                        ("secretAccessKey", .string(key.secretAccessKey)),
                        ("user", .string(key.accountName)),
                        ("expires", Listing.time(key.expiresMicroseconds)),
                    ])
                    streams.write(value.encodedText() + "\n")
                } else {
                    streams.write(
                        "access key id      \(key.accessKeyID)\nsecret access key  \(key.secretAccessKey)\n"
                    )
                }
                return 0
            }),
        Command(
            "key list", "lists access keys without their secrets",
            options: [CommandOption("user", value: "NAME", "of one user"), Listing.json],
            example: "lakehouse key list --json",
            place: .appliance { appliance, parsed, streams in
                let rows = try appliance.identity.accessKeys(commandContext(), of: parsed["user"])
                    .map {
                        [
                            .string($0.id), .string($0.accountName), .bool($0.isDisabled),
                            Listing.time($0.expiresMicroseconds),
                            Listing.time($0.lastUsedMicroseconds),
                        ] as [JSONValue]
                    }
                Listing.print(
                    ["accessKeyId", "user", "disabled", "expires", "lastUsed"], rows,
                    asJSON: parsed.has("json"), streams)
                return 0
            }),
        Command(
            "key rotate", arguments: "ID", "gives a key a new secret and prints it once",
            options: [Listing.json], example: "lakehouse key rotate AKEXAMPLE",
            place: .appliance { appliance, parsed, streams in
                let key = try appliance.identity.rotateAccessKey(
                    commandContext(), try parsed.required(0, "ID"))
                let value: JSONValue = .object([
                    ("accessKeyId", .string(key.accessKeyID)),
                    ("secretAccessKey", .string(key.secretAccessKey)),
                ])
                streams.write(value.encodedText() + "\n")
                return 0
            }),
        switchCommand("disable", "makes a key useless at once", disabled: true),
        switchCommand("enable", "lets a key work again", disabled: false),
        Command(
            "key delete", arguments: "ID", "deletes a key",
            example: "lakehouse key delete AKEXAMPLE",
            place: .appliance { appliance, parsed, _ in
                try appliance.identity.deleteAccessKey(
                    commandContext(), try parsed.required(0, "ID"))
                return 0
            }),
    ]

    private static func switchCommand(_ verb: String, _ summary: String, disabled: Bool) -> Command
    {
        Command(
            "key \(verb)", arguments: "ID", summary, example: "lakehouse key \(verb) AKEXAMPLE",
            place: .appliance { appliance, parsed, _ in
                try appliance.identity.setAccessKey(
                    commandContext(), try parsed.required(0, "ID"), isDisabled: disabled)
                return 0
            })
    }
}

/// `lakehouse client …`: OAuth clients.
enum ClientCommands {
    static let all = [
        Command(
            "client list", "lists OAuth clients and application credentials",
            options: [Listing.json],
            example: "lakehouse client list",
            place: .appliance { appliance, parsed, streams in
                let rows = try appliance.identity.clients(commandContext()).map {
                    [
                        .string($0.id), .string($0.name), .string($0.kind.rawValue),
                        $0.accountName.map { .string($0) } ?? .null, .bool($0.isDisabled),
                        Listing.time($0.expiresMicroseconds),
                    ] as [JSONValue]
                }
                Listing.print(
                    ["id", "name", "kind", "user", "disabled", "expires"], rows,
                    asJSON: parsed.has("json"), streams)
                return 0
            }),
        Command(
            "client create", "makes a credential of a user for one tool, and prints it once",
            options: [
                CommandOption("user", value: "NAME", "whose rights it has"),
                CommandOption("tool", value: "NAME", "what it is for"),
                CommandOption("days", value: "N", "expires after N days (default 30)"),
            ], example: "lakehouse client create --user ann --tool superset",
            place: .appliance { appliance, parsed, streams in
                guard let user = parsed["user"] else {
                    throw ApplianceError(.usage, "--user NAME is missing", hint: "see --help")
                }
                let made = try appliance.identity.createApplicationCredential(
                    commandContext(), account: user, tool: parsed["tool"] ?? "application",
                    lifetime: try parsed.integer("days").map { .seconds($0 * 86_400) })
                let value: JSONValue = .object([
                    ("clientId", .string(made.client.id)),
                    ("clientSecret", made.secret.map { .string($0) } ?? .null),
                    ("expires", Listing.time(made.client.expiresMicroseconds)),
                ])
                streams.write(value.encodedText() + "\n")
                return 0
            }),
        Command(
            "client delete", arguments: "ID", "revokes a client or credential",
            example: "lakehouse client delete app-1234",
            place: .appliance { appliance, parsed, _ in
                try appliance.identity.deleteClient(commandContext(), try parsed.required(0, "ID"))
                return 0
            }),
    ]
}
