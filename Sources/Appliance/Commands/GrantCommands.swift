import Authority
import Identity
import JSON

/// `lakehouse grant …`: rights on warehouses, schemas, tables and views.
enum GrantCommands {
    private static let whom = [
        CommandOption("user", value: "NAME", "whose right"),
        CommandOption("group", value: "NAME", "the right of all in a group"),
        CommandOption(
            "role", value: "NAME", "the right of all who have a role of one's own making"),
    ]
    private static let notes = """
        PRIVILEGES are select, insert, update, delete, create, alter, drop, create-branch, parted by commas,
        or all (the first five). OBJECT is warehouse:silver, schema:silver.sales, table:silver.sales.orders or
        view:silver.sales.week; a right on a warehouse or a schema holds for all that is in it.
        """

    static let all = [
        Command(
            "grant add", arguments: "PRIVILEGES OBJECT", "gives rights; fine if they are there",
            options: whom + [CommandOption("deny", "denies instead: stronger than any right")],
            notes: notes,
            example: "lakehouse grant add select,insert schema:silver.sales --group risk",
            place: .appliance { appliance, parsed, _ in
                try appliance.identity.grant(commandContext(), try rights(parsed))
                return 0
            }),
        Command(
            "grant remove", arguments: "PRIVILEGES OBJECT", "takes rights and denials back",
            options: whom, notes: notes,
            example: "lakehouse grant remove insert schema:silver.sales --group risk",
            place: .appliance { appliance, parsed, _ in
                let wanted = try rights(parsed).flatMap { right in
                    [false, true].map { isDenial in
                        var right = right
                        right.isDenial = isDenial
                        return right
                    }
                }
                _ = try appliance.identity.revoke(commandContext(), wanted)
                return 0
            }),
        Command(
            "grant list", "lists rights on warehouses, schemas, tables and views",
            options: [
                CommandOption("on", value: "OBJECT", "on one thing alone"), Listing.json,
            ], example: "lakehouse grant list --on table:silver.sales.orders",
            place: .appliance { appliance, parsed, streams in
                let wanted = try parsed["on"].map { try CatalogObject(text: $0) }
                let rows = try appliance.identity.catalogRights(commandContext())
                    .filter { wanted?.isSame(as: $0.object) ?? true }
                    .map { right in
                        [
                            .string(right.grantee.kind.rawValue), .string(right.grantee.name),
                            .string(right.isDenial ? "deny" : "allow"),
                            .string(right.privilege.rawValue.lowercased()),
                            .string(right.object.text),
                        ] as [JSONValue]
                    }
                Listing.print(
                    ["granteeKind", "grantee", "effect", "privilege", "object"], rows,
                    asJSON: parsed.has("json"), streams)
                return 0
            }),
    ]

    private static func rights(_ parsed: ParsedArguments) throws -> [CatalogRight] {
        let privileges = try CatalogPrivilege.list(try parsed.required(0, "PRIVILEGES"))
        let object = try CatalogObject(text: try parsed.required(1, "OBJECT"))
        let kinds: [PolicySubject.Kind] = [.user, .group, .role]
        let named = kinds.compactMap { kind in
            parsed[kind.rawValue].map { PolicySubject(kind, $0) }
        }
        guard named.count == 1, let grantee = named.first else {
            throw ApplianceError(.usage, "one of --user, --group and --role is wanted")
        }
        return privileges.map {
            CatalogRight(
                grantee: grantee, privilege: $0, object: object, isDenial: parsed.has("deny"))
        }
    }
}
