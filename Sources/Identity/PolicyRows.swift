import Authority
import JSON
import SQLite

/// Policies, tags and places as `identity.sqlite` keeps them.
///
/// A policy's target, subjects and names are one JSON document: they are only ever read as a whole.
enum PolicyRows {
    static func body(_ policy: TablePolicy) -> String {
        var members: [(String, JSONValue)] = []
        switch policy.target {
        case .table(let table):
            members.append(("table", json(table)))
        case .column(let table, let fieldID, let name):
            members.append(("table", json(table)))
            members.append(("field", .int(fieldID)))
            members.append(("column", .string(name)))
        case .tag(let tag): members.append(("tag", .string(tag)))
        }
        members.append(("for", subjects(policy.subjects)))
        members.append(("except", subjects(policy.exceptions)))
        members.append(("as", .string(policy.expression)))
        let columns = policy.columns.sorted { $0.key < $1.key }
        members.append(("columns", .object(columns.map { ($0.key, .string(String($0.value))) })))
        return JSONValue.object(members).encodedText()
    }

    static func policy(_ row: Row) throws -> TablePolicy {
        let at = try JSONValue(parsing: row.string(2)).cursor
        let target: TablePolicy.Target
        if let tag = try at["tag"].optionalString() {
            target = .tag(tag)
        } else {
            let table = TableKey(
                uuid: try at["table"]["uuid"].string(), path: try at["table"]["path"].strings())
            if at["field"].isPresent {
                target = .column(
                    table, fieldID: Int(try at["field"].int64()), name: try at["column"].string())
            } else {
                target = .table(table)
            }
        }
        var columns: [String: Int] = [:]
        for (name, id) in try at["columns"].stringMap() { columns[name] = Int(id) }
        return TablePolicy(
            name: row.string(0), kind: TablePolicy.Kind(rawValue: row.string(1)) ?? .mask,
            target: target, subjects: try subjects(at["for"]),
            exceptions: try subjects(at["except"]),
            expression: try at["as"].string(), columns: columns, createdBy: row.string(3),
            createdMicroseconds: row.int64(4))
    }

    static func tag(_ row: Row) throws -> TagAssignment {
        TagAssignment(
            table: TableKey(uuid: row.string(0), path: try decodeList(row.string(1))),
            fieldID: row.int64(2) < 0 ? nil : row.int(2),
            columnName: row.int64(2) < 0 ? nil : row.string(3), tag: row.string(4))
    }

    private static func json(_ table: TableKey) -> JSONValue {
        .object([
            ("uuid", .string(table.uuid)), ("path", .array(table.path.map { .string($0) })),
        ])
    }

    private static func subjects(_ subjects: [PolicySubject]) -> JSONValue {
        .array(subjects.map { .array([.string($0.kind.rawValue), .string($0.name)]) })
    }

    private static func subjects(_ at: JSONCursor) throws -> [PolicySubject] {
        try at.elements().map { pair in
            let parts = try pair.strings()
            guard parts.count == 2, let kind = PolicySubject.Kind(rawValue: parts[0]) else {
                throw IdentityError(
                    code: .invalidValue, message: "a policy's subjects cannot be read")
            }
            return PolicySubject(kind, parts[1])
        }
    }
}

/// Policies in the form that decisions want: by table. Part of the directory's snapshot.
struct PolicyIndex: Sendable {
    struct Place: Sendable {
        /// The path below the bucket, without a slash at its end.
        let path: String
        let table: TableKey
    }

    private var byTable: [String: [TablePolicy]] = [:]
    private var byTag: [String: [TablePolicy]] = [:]
    private var tagsByTable: [String: [TagAssignment]] = [:]
    private var places: [String: [Place]] = [:]
    private(set) var knownPlaces: Set<String> = []
    private(set) var isEmpty = true

    init() {}

    init(_ tx: ReadTransaction, tenant: String) throws {
        let all = try tx.query(
            """
            SELECT name, kind, body, created_by, created_us FROM policies WHERE tenant = ?
            ORDER BY created_us, name
            """, tenant, row: PolicyRows.policy)
        for policy in all {
            switch policy.target {
            case .table(let table), .column(let table, _, _):
                for key in Self.keys(table) { byTable[key, default: []].append(policy) }
            case .tag(let tag): byTag[tag, default: []].append(policy)
            }
        }
        let tags = try tx.query(
            """
            SELECT uuid, path, field_id, column_name, tag FROM tags WHERE tenant = ?
            ORDER BY uuid, field_id, tag
            """, tenant, row: PolicyRows.tag)
        for tag in tags {
            for key in Self.keys(tag.table) { tagsByTable[key, default: []].append(tag) }
        }
        let rows = try tx.query(
            "SELECT place, uuid, path FROM governed_places WHERE tenant = ? ORDER BY place", tenant
        ) { ($0.string(0), TableKey(uuid: $0.string(1), path: try decodeList($0.string(2)))) }
        for (place, table) in rows {
            knownPlaces.insert(Self.placeKey(place, table))
            guard place.hasPrefix("s3://") else { continue }
            let rest = place.dropFirst(5)
            let bucket = rest.prefix { $0 != "/" }
            let path = rest.dropFirst(bucket.count + 1)
            places[String(bucket), default: []].append(Place(path: String(path), table: table))
        }
        isEmpty = all.isEmpty && tags.isEmpty
    }

    static func placeKey(_ place: String, _ table: TableKey) -> String {
        "\(table.uuid)\u{0}\(table.path.joined(separator: "/"))\u{0}\(place)"
    }

    private static func keys(_ table: TableKey) -> [String] {
        ["u" + table.uuid, "p" + table.governedPath.joined(separator: "\u{0}")]
    }

    /// Whether policies or tags are about the table.
    func isGoverned(_ table: TableKey) -> Bool {
        Self.keys(table).contains { byTable[$0] != nil || tagsByTable[$0] != nil }
    }

    func applied(to viewer: Principal, _ table: TableKey) -> [AppliedPolicy] {
        if isEmpty || viewer.kind == .system { return [] }
        var direct: [AppliedPolicy] = []
        var seen: Set<String> = []
        for policy in Self.keys(table).flatMap({ byTable[$0] ?? [] })
        where seen.insert(policy.name).inserted {
            guard let through = policy.reach(viewer) else { continue }
            var entry = AppliedPolicy(policy: policy, through: through)
            var own = table
            switch policy.target {
            case .table(let target): own = target
            case .column(let target, let fieldID, let name):
                own = target
                entry.fieldID = fieldID
                entry.columnName = name
            case .tag: break
            }
            direct.append(own.uuid == table.uuid ? entry : entry.byName())
        }
        var tagged: [AppliedPolicy] = []
        var done: Set<TagAssignment> = []
        for tag in Self.keys(table).flatMap({ tagsByTable[$0] ?? [] })
        where tag.columnName != nil && done.insert(tag).inserted {
            for policy in byTag[tag.tag] ?? [] {
                guard let through = policy.reach(viewer) else { continue }
                let entry = AppliedPolicy(
                    policy: policy, fieldID: tag.fieldID, columnName: tag.columnName,
                    through: "\(through), tag \(tag.tag)")
                tagged.append(tag.table.uuid == table.uuid ? entry : entry.byName())
            }
        }
        return direct
            + tagged.sorted {
                ($0.policy.createdMicroseconds, $0.policy.name)
                    < ($1.policy.createdMicroseconds, $1.policy.name)
            }
    }

    /// The first place around the key whose table shows the viewer only a part.
    func restriction(
        of viewer: Principal, bucket: String, key: String, own: TableKey? = nil
    ) -> PlaceRestriction? {
        guard !isEmpty, let all = places[bucket] else { return nil }
        if viewer.kind == .anonymous { return closedToNobodies(all, key) }
        for place in all
        where place.path.isEmpty || key == place.path || key.hasPrefix(place.path + "/") {
            if let own, own.overlaps(place.table) { continue }
            let applied = applied(to: viewer, place.table)
            guard let first = applied.first else { continue }
            return PlaceRestriction(
                path: place.path,
                reason: "the files of \(place.table.name) are not handed out to you: "
                    + "\(first.policy.kind.rawValue) \(first.policy.name) applies through "
                    + "\(first.through); read the table with SQL")
        }
        return nil
    }

    /// To those without a name every governed place is closed.
    private func closedToNobodies(_ all: [Place], _ key: String) -> PlaceRestriction? {
        let place = all.first {
            $0.path.isEmpty || key == $0.path || key.hasPrefix($0.path + "/")
        }
        return place.map {
            PlaceRestriction(
                path: $0.path, reason: "the files of \($0.table.name) are not open to everybody")
        }
    }
}
