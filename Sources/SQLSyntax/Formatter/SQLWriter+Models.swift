extension SQLWriter {
    mutating func model(_ statement: ModelStatement) {
        switch statement {
        case .create(let model):
            write(model.orReplace ? "CREATE OR REPLACE MODEL " : "CREATE MODEL ")
            name(model.name)
            write(" USING ")
            identifier(model.algorithm)
            properties(model.properties)
            write(" AS ")
            query(model.query)
        case .drop(let model, let ifExists):
            write(ifExists ? "DROP MODEL IF EXISTS " : "DROP MODEL ")
            name(model)
        case .describe(let model, let version):
            write("DESCRIBE MODEL ")
            name(model)
            if let version { write("@\(version)") }
        case .show(let schema, let pattern):
            write("SHOW MODELS")
            if let schema {
                write(" FROM ")
                name(schema)
            }
            like(pattern)
        }
    }
}
