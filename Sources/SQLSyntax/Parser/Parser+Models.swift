import Diagnostics

// Models: CREATE MODEL, DROP MODEL, DESCRIBE MODEL, SHOW MODELS. None of the words is reserved.

extension Parser {
    /// After `CREATE [OR REPLACE] MODEL`.
    func createModel(_ orReplace: Bool) throws(SQLSyntaxError) -> Statement.Kind {
        if at("IF"), next("NOT") {
            throw foreign(
                "CREATE MODEL IF NOT EXISTS is not supported",
                hint: "write CREATE OR REPLACE MODEL: it makes a new version", length: 3)
        }
        let name = try qualifiedName()
        try expect("USING")
        let algorithm = try identifier()
        let properties = try optionalProperties()
        try expect("AS")
        return .model(
            .create(
                CreateModel(
                    name: name, orReplace: orReplace, algorithm: algorithm, properties: properties,
                    query: try query())))
    }

    /// After `DROP MODEL`.
    func dropModel() throws(SQLSyntaxError) -> Statement.Kind {
        let ifExists = ifExists()
        return .model(.drop(try qualifiedName(), ifExists: ifExists))
    }

    /// `MODEL name[@version]` after DESCRIBE; nil where a table of that name is meant.
    func describeModel() throws(SQLSyntaxError) -> Statement.Kind? {
        guard at("MODEL"), isName(peek()) else { return nil }
        advance()
        let name = try qualifiedName()
        guard take("@") else { return .model(.describe(name, version: nil)) }
        guard let version = Int64(token.text), version > 0 else {
            wanting("<version>")
            throw unexpected()
        }
        advance()
        return .model(.describe(name, version: version))
    }

    /// After `SHOW MODELS`.
    func showModels() throws(SQLSyntaxError) -> Statement.Kind {
        let schema: QualifiedName? = take("FROM") || take("IN") ? try qualifiedName() : nil
        return .model(.show(schema: schema, try likePattern()))
    }
}
