import Authority
import CivilTime
import Identity
import JSON

// How the REST administration shows what the directory holds.

func list(_ items: [JSONValue]) -> JSONValue { .object([("items", .array(items))]) }

private func texts(_ values: [String]) -> JSONValue { .array(values.map { .string($0) }) }

private func time(_ microseconds: Int64?) -> JSONValue {
    microseconds.map { .string(CivilFormat.rfc3339(utc: $0)) } ?? .null
}

private func optional(_ text: String?) -> JSONValue { text.map { .string($0) } ?? .null }

func json(_ account: Account) -> JSONValue {
    .object([
        ("id", .string(account.id)), ("name", .string(account.name)),
        ("kind", .string(account.kind.rawValue)), ("displayName", .string(account.displayName)),
        ("email", optional(account.email)), ("hasPassword", .bool(account.hasPassword)),
        ("isDisabled", .bool(account.isDisabled)), ("groups", texts(account.groups)),
        ("roles", texts(account.roles)), ("created", time(account.createdMicroseconds)),
        ("lastUsed", time(account.lastUsedMicroseconds)),
    ])
}

func json(_ group: Group) -> JSONValue {
    .object([
        ("id", .string(group.id)), ("name", .string(group.name)),
        ("description", .string(group.description)), ("members", texts(group.members)),
        ("roles", texts(group.roles)),
    ])
}

func json(_ role: Role) -> JSONValue {
    .object([
        ("id", .string(role.id)), ("name", .string(role.name)),
        ("description", .string(role.description)), ("isBuiltIn", .bool(role.isBuiltIn)),
        ("grants", .array(role.grants.map { json($0) })),
    ])
}

func json(_ grant: Grant) -> JSONValue {
    .object([
        ("id", .string(grant.id)), ("effect", .string(grant.effect.rawValue)),
        ("actions", texts(grant.actions)), ("resource", .string(grant.resource)),
        ("rowFilter", optional(grant.rowFilter)),
        (
            "columnMasks",
            .object(
                grant.columnMasks.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) })
        ),
    ])
}

func json(_ right: CatalogRight) -> JSONValue {
    .object([
        (right.grantee.kind.rawValue, .string(right.grantee.name)),
        ("privilege", .string(right.privilege.rawValue)), ("on", .string(right.object.text)),
        ("deny", .bool(right.isDenial)),
    ])
}

func json(_ client: Client) -> JSONValue {
    .object([
        ("id", .string(client.id)), ("name", .string(client.name)),
        ("kind", .string(client.kind.rawValue)), ("user", optional(client.accountName)),
        ("redirectURIs", texts(client.redirectURIs)),
        ("grantTypes", texts(client.grantTypes.map(\.rawValue))),
        ("isDisabled", .bool(client.isDisabled)), ("created", time(client.createdMicroseconds)),
        ("expires", time(client.expiresMicroseconds)),
        ("lastUsed", time(client.lastUsedMicroseconds)),
    ])
}

func json(_ made: NewClient) -> JSONValue {
    .object([
        ("client", json(made.client)), ("clientId", .string(made.client.id)),
        ("clientSecret", optional(made.secret)),
    ])
}

func json(_ key: AccessKey) -> JSONValue {
    .object([
        ("accessKeyId", .string(key.id)), ("user", .string(key.accountName)),
        ("description", .string(key.description)), ("isDisabled", .bool(key.isDisabled)),
        ("created", time(key.createdMicroseconds)), ("expires", time(key.expiresMicroseconds)),
        ("lastUsed", time(key.lastUsedMicroseconds)),
    ])
}

func json(_ made: NewAccessKey) -> JSONValue {
    .object([
        ("accessKeyId", .string(made.accessKeyID)),
        ("secretAccessKey", .string(made.secretAccessKey)), ("user", .string(made.accountName)),
        ("expires", time(made.expiresMicroseconds)),
    ])
}
