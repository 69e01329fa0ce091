import Identity
import JSON

/// `lakehouse group …`.
enum GroupCommands {
    static let all = [
        Command(
            "group create", arguments: "NAME", "makes a group; fine if it exists",
            options: [
                CommandOption("id", value: "ID", "a given id"),
                CommandOption("role", value: "ROLE", "gives the group a role; repeatable"),
                Listing.json,
            ],
            example: "lakehouse group create fraud-team --role analyst", makesDirectory: true,
            place: .appliance { appliance, parsed, streams in
                let name = try parsed.required(0, "NAME")
                let (group, isNew) = try appliance.identity.ensureGroup(
                    commandContext(), name: name, id: parsed["id"])
                var added: [String] = []
                for role in parsed.values("role") where !group.roles.contains(role) {
                    try appliance.identity.setRole(
                        commandContext(), role, ofGroup: name, isAssigned: true)
                    added.append("now has the role \(role)")
                }
                Provisioned(id: group.id, name: name, isNew: isNew, added: added)
                    .print(asJSON: parsed.has("json"), streams)
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
                let isJSON = parsed.has("json")
                let rows = try appliance.identity.groups(commandContext()).map { group in
                    (isJSON ? [.string(group.id)] : []) + [
                        .string(group.name), .array(group.members.map { .string($0) }),
                        .array(group.roles.map { .string($0) }),
                    ] as [JSONValue]
                }
                Listing.print(
                    (isJSON ? ["id"] : []) + ["name", "members", "roles"], rows, asJSON: isJSON,
                    streams)
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
                let isJSON = parsed.has("json")
                let rows = try appliance.identity.roles(commandContext()).map { role in
                    (isJSON ? [.string(role.id)] : []) + [
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
                    (isJSON ? ["id"] : []) + ["name", "builtIn", "grants"], rows, asJSON: isJSON,
                    streams)
                return 0
            }),
        Command(
            "role create", arguments: "NAME", "makes a role; fine if it exists",
            options: [
                CommandOption("id", value: "ID", "a given id"),
                CommandOption(
                    "grant", value: "ACTION@RESOURCE",
                    "allows an action, such as table.select@table:silver/*; repeatable"),
                Listing.json,
            ], example: "lakehouse role create reader --grant 'table.select@table:silver/*'",
            makesDirectory: true,
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
                let (role, isNew) = try appliance.identity.ensureRole(
                    commandContext(), name: name, id: parsed["id"], grants: grants)
                var added: [String] = []
                for grant in grants
                where !role.grants.contains(where: { kept in
                    kept.effect == grant.effect && Set(kept.actions) == Set(grant.actions)
                        && kept.resource == grant.resource
                }) {
                    _ = try appliance.identity.addGrant(commandContext(), grant, toRole: name)
                    added.append(
                        "now allows \(grant.actions.joined(separator: ",")) on \(grant.resource)")
                }
                Provisioned(id: role.id, name: name, isNew: isNew, added: added)
                    .print(asJSON: parsed.has("json"), streams)
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
                IdentityRegistry.createUser,
                CommandOption("id", value: "ID", "a given access key id"),
                .secret("secret", "reads a given secret from a file or standard input"),
                CommandOption("days", value: "N", "expires after N days"), Listing.json,
            ], example: "lakehouse key create --user etl --create-user --json",
            makesDirectory: true, place: .appliance(create)),
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

    private static func create(
        _ appliance: Appliance, _ parsed: ParsedArguments, _ streams: any CommandStreams
    ) throws -> Int32 {
        let identity = appliance.identity
        guard let user = parsed["user"] else {
            throw ApplianceError(.usage, "--user NAME is missing", hint: "see --help")
        }
        try identity.ensureUser(user, parsed)
        let secret = parsed.has("secret") ? try readSecret(streams) : nil
        if let id = parsed["id"], secret == nil,
            let kept = try identity.accessKeys(commandContext(), of: user).first(where: {
                $0.id == id
            })
        {
            guard !kept.isDisabled else {
                throw ApplianceError(
                    .contradiction, "the access key exists already and is disabled: \(id)",
                    hint: "`lakehouse key enable \(id)` lets it work again")
            }
            show(id, nil, user, kept.expiresMicroseconds, isNew: false, parsed, streams)
            return 0
        }
        let key = try identity.createAccessKey(
            commandContext(), account: user, id: parsed["id"], secret: secret,
            lifetime: try parsed.days())
        show(
            key.accessKeyID, key.secretAccessKey, key.accountName, key.expiresMicroseconds,
            isNew: key.isNew, parsed, streams)
        return 0
    }

    private static func show(
        _ id: String, _ secret: String?, _ user: String, _ expires: Int64?, isNew: Bool,
        _ parsed: ParsedArguments, _ streams: any CommandStreams
    ) {
        if parsed.has("json") {
            let value: JSONValue = .object([
                ("accessKeyId", .string(id)),
                ("secretAccessKey", secret.map { .string($0) } ?? .null),
                ("user", .string(user)), ("expires", Listing.time(expires)),
                ("created", .bool(isNew)),
            ])
            streams.write(value.encodedText() + "\n")
        } else if isNew {
            streams.write("access key id      \(id)\nsecret access key  \(secret ?? "")\n")
        } else {
            streams.write(
                "\(id) exists already\nits secret was shown when it was made; "
                    + "`lakehouse key rotate \(id)` makes a new one\n")
        }
    }

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
