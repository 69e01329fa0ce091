extension SQLWriter {
    mutating func parenthesized(_ query: Query) {
        write("(")
        self.query(query)
        write(")")
    }

    mutating func query(_ query: Query) {
        if !query.functions.isEmpty {
            write("WITH ")
            list(query.functions) { $0.routine($1) }
            write(" ")
        }
        if !query.sessionProperties.isEmpty {
            write("WITH SESSION ")
            list(query.sessionProperties) { $0.property($1) }
            write(" ")
        }
        if let with = query.with {
            write(with.isRecursive ? "WITH RECURSIVE " : "WITH ")
            list(with.queries) { writer, element in
                writer.identifier(element.name)
                if !element.columns.isEmpty {
                    writer.write(" ")
                    writer.identifiers(element.columns)
                }
                writer.write(" AS ")
                writer.parenthesized(element.query)
            }
            write(" ")
        }
        body(query.body, isOperand: false)
        if !query.orderBy.isEmpty {
            write(" ")
            orderBy(query.orderBy)
        }
        if let offset = query.offset {
            write(" OFFSET ")
            expression(offset, 8)
        }
        switch query.limit {
        case .all: write(" LIMIT ALL")
        case .rows(let count):
            write(" LIMIT ")
            expression(count, 8)
        case .rowsWithTies(let count):
            write(" FETCH FIRST ")
            expression(count, 8)
            write(" ROWS WITH TIES")
        case nil: break
        }
    }

    private mutating func body(_ body: QueryBody, isOperand: Bool) {
        switch body.kind {
        case .specification(let specification): self.specification(specification)
        case .table(let name):
            write("TABLE ")
            self.name(name)
        case .values(let rows):
            write("VALUES ")
            list(rows) { $0.expression($1, 0) }
        case .subquery(let inner): parenthesized(inner)
        case .setOperation(let operation):
            operand(operation.left, of: operation, isRight: false)
            write(" \(operation.kind.rawValue) ")
            if !operation.isDistinct { write("ALL ") }
            if let columns = operation.corresponding {
                write("CORRESPONDING ")
                if !columns.isEmpty {
                    write("BY ")
                    identifiers(columns)
                    write(" ")
                }
            }
            operand(operation.right, of: operation, isRight: true)
        }
    }

    /// The parser keeps parentheses as `.subquery`, so that operands come back as they were; trees
    /// made otherwise get parentheses where the precedence needs them.
    private mutating func operand(_ operand: QueryBody, of parent: SetOperation, isRight: Bool) {
        var needsParentheses = false
        if case .setOperation(let inner) = operand.kind {
            let binds = inner.kind == .intersect && parent.kind != .intersect
            let isSameLeft = !isRight && (inner.kind == .intersect) == (parent.kind == .intersect)
            needsParentheses = !binds && !isSameLeft
        }
        if needsParentheses { write("(") }
        body(operand, isOperand: true)
        if needsParentheses { write(")") }
    }

    private mutating func specification(_ query: QuerySpecification) {
        write(query.isDistinct ? "SELECT DISTINCT " : "SELECT ")
        list(query.items) { $0.selectItem($1) }
        if let from = query.from {
            write(" FROM ")
            relation(from, isOperand: false)
        }
        if let filter = query.filter {
            write(" WHERE ")
            expression(filter, 0)
        }
        if let groupBy = query.groupBy { self.groupBy(groupBy) }
        if let having = query.having {
            write(" HAVING ")
            expression(having, 0)
        }
        if !query.windows.isEmpty {
            write(" WINDOW ")
            list(query.windows) { writer, window in
                writer.identifier(window.name)
                writer.write(" AS ")
                writer.window(window.window)
            }
        }
    }

    private mutating func selectItem(_ item: SelectItem) {
        switch item.kind {
        case .expression(let value, let alias):
            expression(value, 0)
            if let alias {
                write(" AS ")
                identifier(alias)
            }
        case .all(let target, let aliases):
            if let target {
                expression(target, 8)
                write(".")
            }
            write("*")
            if !aliases.isEmpty {
                write(" AS ")
                identifiers(aliases)
            }
        }
    }

    private mutating func groupBy(_ groupBy: GroupBy) {
        write(" GROUP BY ")
        if groupBy.isAuto { write("AUTO") }
        switch groupBy.quantifier {
        case .all: write("ALL ")
        case .distinct: write("DISTINCT ")
        case nil: break
        }
        list(groupBy.elements) { $0.groupingElement($1) }
    }

    private mutating func groupingElement(_ element: GroupingElement) {
        switch element {
        case .set(let columns): groupingSet(columns)
        case .groupingSets(let elements):
            write("GROUPING SETS (")
            list(elements) { $0.groupingElement($1) }
            write(")")
        case .cube(let sets):
            write("CUBE (")
            list(sets) { $0.groupingSet($1) }
            write(")")
        case .rollup(let sets):
            write("ROLLUP (")
            list(sets) { $0.groupingSet($1) }
            write(")")
        }
    }

    private mutating func groupingSet(_ columns: [Expression]) {
        if columns.count == 1 {
            expression(columns[0], 0)
        } else {
            write("(")
            list(columns) { $0.expression($1, 0) }
            write(")")
        }
    }

    // MARK: Relations

    mutating func relation(_ relation: Relation, isOperand: Bool) {
        switch relation.kind {
        case .table(let table): self.table(table)
        case .subquery(let inner): parenthesized(inner)
        case .lateral(let inner):
            write("LATERAL ")
            parenthesized(inner)
        case .unnest(let arrays, let withOrdinality):
            write("UNNEST(")
            list(arrays) { $0.expression($1, -1) }
            write(withOrdinality ? ") WITH ORDINALITY" : ")")
        case .tableFunction(let call): tableFunction(call)
        case .jsonTable(let table): jsonTable(table)
        case .join(let join):
            if isOperand { write("(") }
            self.join(join)
            if isOperand { write(")") }
        case .aliased(let inner, let alias, let columns):
            operand(inner)
            write(" AS ")
            identifier(alias)
            if !columns.isEmpty {
                write(" ")
                identifiers(columns)
            }
        case .sampled(let inner, let method, let percentage):
            if case .sampled = inner.kind {
                wrapped(inner)
            } else {
                self.relation(inner, isOperand: true)
            }
            write(" TABLESAMPLE \(method.rawValue) (")
            expression(percentage, 0)
            write(")")
        case .patternRecognition(let inner, let pattern):
            if case .aliased = inner.kind {
                self.relation(inner, isOperand: true)
            } else {
                operand(inner)
            }
            recognition(pattern)
        }
    }

    /// A relation that takes an alias: parentheses around everything that already has one.
    private mutating func operand(_ relation: Relation) {
        switch relation.kind {
        case .aliased, .sampled, .join: wrapped(relation)
        default: self.relation(relation, isOperand: true)
        }
    }

    private mutating func wrapped(_ relation: Relation) {
        write("(")
        self.relation(relation, isOperand: false)
        write(")")
    }

    private mutating func join(_ join: Join) {
        // Commas bind loosest, so that a comma under a JOIN keeps its parentheses.
        if case .join(let inner) = join.left.kind, inner.isImplicit, !join.isImplicit {
            wrapped(join.left)
        } else {
            relation(join.left, isOperand: false)
        }
        if join.isImplicit {
            write(", ")
            if case .join(let inner) = join.right.kind, !inner.isImplicit {
                relation(join.right, isOperand: false)
            } else {
                relation(join.right, isOperand: true)
            }
            return
        }
        if case .natural = join.criteria { write(" NATURAL") }
        write(" \(join.kind.rawValue) JOIN ")
        relation(join.right, isOperand: true)
        switch join.criteria {
        case .none, .natural: break
        case .on(let condition):
            write(" ON ")
            expression(condition, 0)
        case .using(let columns):
            write(" USING ")
            identifiers(columns)
        }
    }

    mutating func table(_ table: TableReference) {
        name(table.name)
        if let branch = table.branch {
            write("@")
            identifier(branch)
        }
        switch table.version {
        case .version(let value):
            write(" FOR VERSION AS OF ")
            expression(value, 4)
        case .timestamp(let value):
            write(" FOR TIMESTAMP AS OF ")
            expression(value, 4)
        case nil: break
        }
    }

    private mutating func tableFunction(_ call: TableFunctionCall) {
        write("TABLE(")
        name(call.name)
        write("(")
        list(call.arguments) { writer, argument in
            if let name = argument.name {
                writer.identifier(name)
                writer.write(" => ")
            }
            switch argument.value {
            case .scalar(let value): writer.expression(value, -1)
            case .nullDescriptor: writer.write("CAST(NULL AS DESCRIPTOR)")
            case .descriptor(let fields):
                writer.write("DESCRIPTOR(")
                writer.list(fields) { writer, field in
                    writer.identifier(field.name)
                    if let type = field.type {
                        writer.write(" ")
                        writer.type(type)
                    }
                }
                writer.write(")")
            case .table(let table): writer.tableArgument(table)
            }
        }
        if !call.copartition.isEmpty {
            write(" COPARTITION ")
            list(call.copartition) { writer, names in
                writer.write("(")
                writer.list(names) { $0.name($1) }
                writer.write(")")
            }
        }
        write("))")
    }

    private mutating func tableArgument(_ argument: TableArgument) {
        var inner = argument.relation
        var alias: (Identifier, [Identifier])?
        if case .aliased(let relation, let name, let columns) = inner.kind {
            inner = relation
            alias = (name, columns)
        }
        write("TABLE")
        if case .subquery(let query) = inner.kind { parenthesized(query) } else { wrapped(inner) }
        if let alias {
            write(" AS ")
            identifier(alias.0)
            if !alias.1.isEmpty {
                write(" ")
                identifiers(alias.1)
            }
        }
        if let partitionBy = argument.partitionBy {
            write(" PARTITION BY (")
            list(partitionBy) { $0.expression($1, 0) }
            write(")")
        }
        if let keeps = argument.keepsEmpty {
            write(keeps ? " KEEP WHEN EMPTY" : " PRUNE WHEN EMPTY")
        }
        if !argument.orderBy.isEmpty {
            write(" ORDER BY (")
            list(argument.orderBy) { $0.sortItem($1) }
            write(")")
        }
    }

    // MARK: Row patterns

    private mutating func recognition(_ recognition: PatternRecognition) {
        write(" MATCH_RECOGNIZE (")
        if !recognition.partitionBy.isEmpty {
            write("PARTITION BY ")
            list(recognition.partitionBy) { $0.expression($1, 0) }
            write(" ")
        }
        if !recognition.orderBy.isEmpty {
            orderBy(recognition.orderBy)
            write(" ")
        }
        if !recognition.measures.isEmpty {
            write("MEASURES ")
            list(recognition.measures) { writer, measure in
                writer.expression(measure.expression, 0)
                writer.write(" AS ")
                writer.identifier(measure.name)
            }
            write(" ")
        }
        if let rows = recognition.rowsPerMatch { write(rows.rawValue + " ") }
        switch recognition.skip {
        case .toNextRow: write("AFTER MATCH SKIP TO NEXT ROW ")
        case .pastLastRow: write("AFTER MATCH SKIP PAST LAST ROW ")
        case .toFirst(let name):
            write("AFTER MATCH SKIP TO FIRST ")
            identifier(name)
            write(" ")
        case .toLast(let name):
            write("AFTER MATCH SKIP TO LAST ")
            identifier(name)
            write(" ")
        case nil: break
        }
        if let isSeek = recognition.isSeek { write(isSeek ? "SEEK " : "INITIAL ") }
        write("PATTERN (")
        pattern(recognition.pattern, 0)
        write(")")
        if !recognition.subsets.isEmpty {
            write(" SUBSET ")
            list(recognition.subsets) { writer, subset in
                writer.identifier(subset.name)
                writer.write(" = ")
                writer.identifiers(subset.members)
            }
        }
        write(" DEFINE ")
        list(recognition.definitions) { writer, definition in
            writer.identifier(definition.name)
            writer.write(" AS ")
            writer.expression(definition.condition, 0)
        }
        write(")")
    }

    /// Levels: 0 alternation, 1 sequence, 2 quantified, 3 primary.
    private mutating func pattern(_ pattern: RowPattern, _ level: Int) {
        let own: Int =
            switch pattern {
            case .alternation: 0
            case .sequence: 1
            case .repeated: 2
            default: 3
            }
        if own < level { write("(") }
        switch pattern {
        case .variable(let name): identifier(name)
        case .empty: write("()")
        case .start: write("^")
        case .end: write("$")
        case .sequence(let parts): list(parts, " ") { $0.pattern($1, 2) }
        case .alternation(let choices): list(choices, " | ") { $0.pattern($1, 1) }
        case .permute(let parts):
            write("PERMUTE(")
            list(parts) { $0.pattern($1, 0) }
            write(")")
        case .excluded(let inner):
            write("{- ")
            self.pattern(inner, 0)
            write(" -}")
        case .repeated(let inner, let least, let most, let isReluctant):
            self.pattern(inner, 3)
            switch (least, most) {
            case (0, nil): write("*")
            case (1, nil): write("+")
            case (0, 1): write("?")
            case (_, nil): write("{\(least),}")
            case (_, let most?): write(most == least ? "{\(least)}" : "{\(least),\(most)}")
            }
            if isReluctant { write("?") }
        }
        if own < level { write(")") }
    }
}
