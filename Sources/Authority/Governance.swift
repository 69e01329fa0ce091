/// A table as policies know it: by what it is, and by where it stands.
///
/// A policy follows its table through renames by `uuid`, and stays on the name for whatever table is
/// put there afterwards, so that dropping a table and making it again does not lift its masks.
package struct TableKey: Sendable, Hashable {
    /// The table's own id.
    package var uuid: String
    /// Warehouse, levels of the namespace, table; lower case.
    package var path: [String]

    /// The key of a table; the path is folded to lower case.
    package init(uuid: String, path: [String]) {
        self.uuid = uuid
        self.path = path.map { $0.lowercased() }
    }

    /// Whether both are the same table or stand at the same place.
    package func overlaps(_ other: TableKey) -> Bool {
        uuid == other.uuid || governedPath == other.governedPath
    }

    /// The path whose policies hold here: rows that checks set aside (`t__quarantine`) are rows of `t`.
    package var governedPath: [String] {
        let suffix = "__quarantine"
        guard let name = path.last, name.hasSuffix(suffix), name.count > suffix.count else {
            return path
        }
        return path.dropLast() + [String(name.dropLast(suffix.count))]
    }

    /// The path as people write it.
    package var name: String { path.joined(separator: ".") }
}

/// Somebody whom a policy names.
package struct PolicySubject: Sendable, Hashable {
    /// What the name is a name of.
    package enum Kind: String, Sendable { case group, role, user }

    package var kind: Kind
    package var name: String

    /// A subject by its kind and name.
    package init(_ kind: Kind, _ name: String) {
        self.kind = kind
        self.name = name
    }

    /// Whether the principal is meant.
    package func includes(_ principal: Principal) -> Bool {
        switch kind {
        case .group: principal.groups.contains(name)
        case .role: principal.roles.contains(name)
        case .user: principal.name == name
        }
    }

    /// `group analyst`.
    package var description: String { "\(kind.rawValue) \(name)" }
}

/// A rule over the rows or the columns of tables, as an administrator declared it.
package struct TablePolicy: Sendable, Hashable {
    /// What the rule does.
    package enum Kind: String, Sendable {
        case rowFilter = "row filter"
        case mask
    }

    /// What the rule is about.
    package enum Target: Sendable, Hashable {
        case table(TableKey)
        /// A column, by its field id and the name that it had when the policy was made.
        case column(TableKey, fieldID: Int, name: String)
        /// Every column that carries the tag, in every table.
        case tag(String)
    }

    package var name: String
    package var kind: Kind
    package var target: Target
    /// To whom it applies; empty: everybody.
    package var subjects: [PolicySubject]
    /// To whom it does not apply all the same.
    package var exceptions: [PolicySubject]
    /// SQL: a predicate over the table's columns, or what is shown instead of the column.
    package var expression: String
    /// The names that the expression may use, by their field ids when the policy was made.
    package var columns: [String: Int]
    package var createdBy: String
    package var createdMicroseconds: Int64

    /// A policy; `createdMicroseconds` is given by the store.
    package init(
        name: String, kind: Kind, target: Target, subjects: [PolicySubject],
        exceptions: [PolicySubject], expression: String, columns: [String: Int],
        createdBy: String = "", createdMicroseconds: Int64 = 0
    ) {
        self.name = name
        self.kind = kind
        self.target = target
        self.subjects = subjects
        self.exceptions = exceptions
        self.expression = expression
        self.columns = columns
        self.createdBy = createdBy
        self.createdMicroseconds = createdMicroseconds
    }

    /// Through what the policy applies to somebody: `group analyst`, `everybody`; nil when it does not.
    package func reach(_ principal: Principal) -> String? {
        if exceptions.contains(where: { $0.includes(principal) }) { return nil }
        if subjects.isEmpty { return "everybody" }
        return subjects.first { $0.includes(principal) }?.description
    }

    /// `group analyst, group viewer except group steward`.
    package var audience: String {
        let whom =
            subjects.isEmpty
            ? "everybody" : subjects.map(\.description).joined(separator: ", ")
        return exceptions.isEmpty
            ? whom : "\(whom) except \(exceptions.map(\.description).joined(separator: ", "))"
    }
}

/// A policy that applies to somebody who reads a table.
package struct AppliedPolicy: Sendable, Hashable {
    package var policy: TablePolicy
    /// The masked column, for masks.
    package var fieldID: Int?
    package var columnName: String?
    /// Through what it applies: `group analyst`.
    package var through: String

    /// The policy for another table that stands where its own stood: columns are known by name only,
    /// for their ids are another table's.
    package func byName() -> AppliedPolicy {
        var copy = self
        copy.fieldID = nil
        copy.policy.columns = policy.columns.mapValues { _ in -1 }
        return copy
    }

    /// A policy with the column that it masks here.
    package init(
        policy: TablePolicy, fieldID: Int? = nil, columnName: String? = nil, through: String
    ) {
        self.policy = policy
        self.fieldID = fieldID
        self.columnName = columnName
        self.through = through
    }
}

/// The tags of a table or of one of its columns.
package struct TagAssignment: Sendable, Hashable {
    package var table: TableKey
    /// nil: the table itself.
    package var fieldID: Int?
    package var columnName: String?
    package var tag: String

    /// One tag on one thing.
    package init(table: TableKey, fieldID: Int?, columnName: String?, tag: String) {
        self.table = table
        self.fieldID = fieldID
        self.columnName = columnName
        self.tag = tag
    }
}

/// One reason why somebody sees what they see.
package struct AccessFact: Sendable, Hashable {
    /// `grant`, `denial`, `row filter`, `mask`, `files`.
    package var kind: String
    /// The role or policy.
    package var name: String
    /// The column, for masks: its name when the policy was made, and its field id.
    package var column: String?
    package var fieldID: Int?
    /// Through what it reaches the person.
    package var through: String
    /// What it does: actions and pattern, predicate, expression.
    package var detail: String

    /// One line of the explanation.
    package init(
        kind: String, name: String, column: String? = nil, fieldID: Int? = nil, through: String,
        detail: String
    ) {
        self.fieldID = fieldID
        self.kind = kind
        self.name = name
        self.column = column
        self.through = through
        self.detail = detail
    }
}

/// Which policies apply to whom. Answers from memory.
package protocol TableGovernance: Sendable {
    /// The policies that apply to a reader of the table: columns' own masks before those by tag, older
    /// ones first.
    func applied(to viewer: Principal, tenant: String, _ table: TableKey) -> [AppliedPolicy]

    /// Takes note of where a governed table's files lie (`s3://bucket/path`), before they can be
    /// written there. Places are never forgotten: old files stay there. Does nothing for other tables.
    func cover(tenant: String, _ table: TableKey, places: [String]) throws

    /// Why somebody may not have the object as it is: a table keeps its files there, of which they see
    /// only a part. nil: nothing stands against it. `own` is a table that is being read with its
    /// policies: its places are open to it.
    func restriction(
        of viewer: Principal, tenant: String, bucket: String, key: String, own: TableKey?
    ) -> PlaceRestriction?
}

/// Why files are not handed out to somebody.
package struct PlaceRestriction: Sendable, Hashable {
    /// Below the bucket; all keys at it and below it are meant.
    package var path: String
    /// For people: the table and the policy.
    package var reason: String

    /// A place and why it is closed.
    package init(path: String, reason: String) {
        self.path = path
        self.reason = reason
    }
}

/// The verbs behind policy statements.
package protocol PolicyAdministration: TableGovernance {
    /// Keeps a policy. Throws when the name is taken and `orReplace` is not given, when a subject does
    /// not exist, and for those who may not.
    func define(_ context: RequestContext, _ policy: TablePolicy, orReplace: Bool) throws

    /// Removes a policy; whether there was one.
    func drop(_ context: RequestContext, _ kind: TablePolicy.Kind, _ name: String) throws -> Bool

    /// Every policy, by name.
    func policies(_ context: RequestContext) throws -> [TablePolicy]

    /// Gives a table (`fieldID` nil) or a column exactly these tags.
    func setTags(
        _ context: RequestContext, _ table: TableKey, fieldID: Int?, columnName: String?,
        tags: [String]
    ) throws

    /// The tags of a table and its columns; of all tables when nil.
    func tags(_ context: RequestContext, _ table: TableKey?) throws -> [TagAssignment]

    /// Why somebody (nil: the caller) may see what of a table. Others than oneself: for those who
    /// administer policies or look at identities.
    func explainAccess(
        _ context: RequestContext, user: String?, _ table: TableKey
    ) throws -> [AccessFact]
}

/// SQL that a policy puts in the place of rows or values, over the columns as they are named now.
package struct PolicyExpression: Sendable, Hashable {
    /// The policy, for messages.
    package var policy: String
    package var text: String
    /// What names in the text mean: present names of columns, lower case. nil: they are present names.
    package var names: [String: String]?
    /// Whether NULL stands in where the expression does not fit the column's type: masks by tag.
    package var isLenient: Bool

    /// SQL with the names it uses.
    package init(
        policy: String, text: String, names: [String: String]? = nil, isLenient: Bool = false
    ) {
        self.policy = policy
        self.text = text
        self.names = names
        self.isLenient = isLenient
    }
}

extension Decision {
    /// The decision with the policies that apply; `columns` are the table's present names by field id.
    package func governed(by applied: [AppliedPolicy], columns: [Int: String]) -> Decision {
        guard !applied.isEmpty else { return self }
        var decision = self
        let present = columns.mapValues { $0.lowercased() }
        let names = Set(present.values)
        for entry in applied {
            let policy = entry.policy
            decision.policies.append("\(policy.kind.rawValue) \(policy.name) (\(entry.through))")
            // A column that was dropped and made again has another id; its name still means it.
            var meaning: [String: String] = [:]
            for (name, id) in policy.columns {
                meaning[name.lowercased()] =
                    present[id] ?? (names.contains(name.lowercased()) ? name.lowercased() : nil)
            }
            switch policy.kind {
            case .rowFilter:
                decision.filters.append(
                    PolicyExpression(policy: policy.name, text: policy.expression, names: meaning))
            case .mask:
                let byID = entry.fieldID.flatMap { present[$0] }
                let byName = entry.columnName.map { $0.lowercased() }.flatMap {
                    names.contains($0) ? $0 : nil
                }
                var isByTag = false
                if case .tag = policy.target { isByTag = true }
                // Both, where a new column has the old one's name: rather one mask too many.
                for column in Set([byID, byName].compactMap { $0 }).sorted()
                where decision.masks[column] == nil {
                    var names = meaning
                    if policy.columns["value"] == nil { names["value"] = column }
                    decision.masks[column] = PolicyExpression(
                        policy: policy.name, text: policy.expression, names: names,
                        isLenient: isByTag || column != byID)
                }
            }
        }
        // The path of a file tells the values of partition columns.
        if !decision.masks.isEmpty {
            decision.masks["$path"] = PolicyExpression(policy: "$path", text: "'(hidden)'")
        }
        return decision
    }

    /// Every row filter: the grants' and the policies'.
    package var allFilters: [PolicyExpression] {
        (rowFilter.map { [PolicyExpression(policy: "grant", text: $0)] } ?? []) + filters
    }

    /// Every mask by column in lower case: the policies' before the grants'.
    package var allMasks: [String: PolicyExpression] {
        var all = masks
        for (column, text) in columnMasks where all[column.lowercased()] == nil {
            all[column.lowercased()] = PolicyExpression(policy: "grant", text: text)
        }
        return all
    }

    /// Whether somebody sees less than the files hold.
    package var isRestricted: Bool {
        rowFilter != nil || !columnMasks.isEmpty || !policies.isEmpty
    }

    /// For people: what restricts the reader.
    package var restriction: String {
        policies.isEmpty
            ? "a grant limits the rows or columns that you see" : policies.joined(separator: ", ")
    }
}
