import Identity
import JSON

/// `lakehouse client …`: OAuth clients, and credentials of users for one tool.
enum ClientCommands {
    static let all = [list, create, rotate, disable, enable, delete]

    private static let list = Command(
        "client list", "lists OAuth clients and application credentials",
        options: [Listing.json],
        example: "lakehouse client list",
        place: .appliance { appliance, parsed, streams in
            let rows = try appliance.identity.clients(commandContext()).map {
                [
                    .string($0.id), .string($0.name), .string($0.kind.rawValue),
                    $0.accountName.map { .string($0) } ?? .null,
                    .array($0.redirectURIs.map { .string($0) }), .bool($0.isDisabled),
                    Listing.time($0.expiresMicroseconds),
                ] as [JSONValue]
            }
            Listing.print(
                ["id", "name", "kind", "user", "redirects", "disabled", "expires"], rows,
                asJSON: parsed.has("json"), streams)
            return 0
        })

    // MARK: Making

    private static let create = Command(
        "client create",
        "makes a credential of a user for one tool, or with --redirect or --public an OAuth client",
        options: [
            CommandOption("id", value: "ID", "a given client id; the same again is fine"),
            .secret("secret", "reads a given secret from a file or standard input"),
            CommandOption("user", value: "NAME", "whose rights it has when it acts by itself"),
            IdentityRegistry.createUser,
            CommandOption("tool", value: "NAME", "what it is for"),
            CommandOption("redirect", value: "URI", "where people's logins return; repeatable"),
            CommandOption("public", "a client that can keep no secret and proves itself by PKCE"),
            CommandOption("days", value: "N", "expires after N days (a user's credential: 30)"),
            Listing.json,
        ],
        example: """
            lakehouse client create --user ann --tool superset
              lakehouse client create --id grafana --redirect https://grafana.example/login --secret - < secret.txt
            """, makesDirectory: true, place: .appliance(create))

    private static func create(
        _ appliance: Appliance, _ parsed: ParsedArguments, _ streams: any CommandStreams
    ) throws -> Int32 {
        let redirects = parsed.values("redirect")
        let kind: Client.Kind =
            parsed.has("public") ? .public : redirects.isEmpty ? .application : .confidential
        let user = parsed["user"]
        if kind == .application, user == nil {
            throw ApplianceError(
                .usage, "--user NAME is missing",
                hint: "whose rights the credential has; an OAuth client has --redirect URI instead")
        }
        if kind == .public, parsed.has("secret") || user != nil {
            throw ApplianceError(
                .usage, "--public goes with neither --secret nor --user",
                hint: "a client that can keep no secret acts for whoever signs in")
        }
        if let user { try appliance.identity.ensureUser(user, parsed) }
        let secret = parsed.has("secret") ? try readSecret(streams) : nil
        let usual: Duration? = kind == .application ? .seconds(30 * 86_400) : nil
        let made = try appliance.identity.ensureClient(
            commandContext(), id: parsed["id"],
            name: parsed["tool"]
                ?? (kind == .application ? "application" : parsed["id"] ?? "client"),
            kind: kind, secret: secret, account: user, redirectURIs: redirects,
            // With a user it may also act by itself.
            grantTypes: kind == .confidential && user != nil
                ? [.authorizationCode, .refreshToken, .clientCredentials] : nil,
            lifetime: try parsed.days() ?? usual)
        show(made, secret: made.secret ?? secret, parsed, streams)
        return 0
    }

    private static let rotate = Command(
        "client rotate", arguments: "ID", "gives a client a new secret and prints it once",
        options: [Listing.json], example: "lakehouse client rotate grafana",
        place: .appliance { appliance, parsed, streams in
            let made = try appliance.identity.rotateClientSecret(
                commandContext(), try parsed.required(0, "ID"))
            show(made, secret: made.secret, parsed, streams)
            return 0
        })

    private static func show(
        _ made: NewClient, secret: String?, _ parsed: ParsedArguments,
        _ streams: any CommandStreams
    ) {
        let client = made.client
        if parsed.has("json") {
            let value: JSONValue = .object([
                ("clientId", .string(client.id)),
                ("clientSecret", secret.map { .string($0) } ?? .null),
                ("kind", .string(client.kind.rawValue)), ("tool", .string(client.name)),
                ("user", client.accountName.map { .string($0) } ?? .null),
                ("redirectURIs", .array(client.redirectURIs.map { .string($0) })),
                ("grantTypes", .array(client.grantTypes.map { .string($0.rawValue) })),
                ("expires", Listing.time(client.expiresMicroseconds)),
                ("created", .bool(made.isNew)),
            ])
            streams.write(value.encodedText() + "\n")
            return
        }
        if !made.isNew {
            streams.write("\(client.id) exists already\n")
            if client.kind != .public, secret == nil {
                streams.write(
                    "its secret was shown when it was made; "
                        + "`lakehouse client rotate \(client.id)` makes a new one\n")
            }
            return
        }
        streams.write("client id      \(client.id)\n")
        if let secret { streams.write("client secret  \(secret)\n") }
    }

    // MARK: Switching off

    private static func change(_ verb: String, _ summary: String, disabled: Bool) -> Command {
        Command(
            "client \(verb)", arguments: "ID", summary,
            example: "lakehouse client \(verb) app-1234",
            place: .appliance { appliance, parsed, _ in
                try appliance.identity.setClient(
                    commandContext(), try parsed.required(0, "ID"), isDisabled: disabled)
                return 0
            })
    }
    private static let disable = change(
        "disable", "makes a client or credential useless at once", disabled: true)
    private static let enable = change("enable", "lets a client work again", disabled: false)

    private static let delete = Command(
        "client delete", arguments: "ID", "revokes a client or credential",
        example: "lakehouse client delete app-1234",
        place: .appliance { appliance, parsed, _ in
            try appliance.identity.deleteClient(commandContext(), try parsed.required(0, "ID"))
            return 0
        })
}
