package import Authority
import Diagnostics
package import SQLFunctions
package import SQLSyntax
import Vectors

/// What binding a statement needs to know.
package struct BindingContext: Sendable {
    package var request: RequestContext
    package var session: SessionValues
    package var catalog: any CatalogView
    package var registry: FunctionRegistry
    /// Values of `?`, as expressions without names.
    package var parameters: [Expression]
    package var evaluator: (any ConstantEvaluator)?

    package init(
        request: RequestContext, session: SessionValues, catalog: any CatalogView,
        registry: FunctionRegistry = .standard, parameters: [Expression] = [],
        evaluator: (any ConstantEvaluator)? = nil
    ) {
        self.request = request
        self.session = session
        self.catalog = catalog
        self.registry = registry
        self.parameters = parameters
        self.evaluator = evaluator
    }
}

/// Resolves names and types of a statement and turns queries into plans.
///
/// Row filters, masks and views are inlined where a table is named; subqueries are joins in the
/// result. Binding reads the catalog and changes nothing.
///
/// Operators and forms without a node of their own become calls of scalar functions, which
/// `SQLFunctions` provides under these names (`I` an interval, `T` a date, time or timestamp):
///
///     $add_interval(T, I) T            $subtract_interval(T, I) T
///     $subtract_times(T, T) I          `date - date`, `timestamp - timestamp`
///     $interval_add(I, I) I            $interval_subtract(I, I) I
///     $interval_multiply(I, double) I  $interval_divide(I, double) I     $interval_negate(I) I
///     $subscript(array(E), bigint) E   $subscript(map(K, V), K) V        fail where nothing is there
///     concat                           `||` over varchar, varbinary, arrays (and element)
///     at_timezone(T, varchar|I)        AT TIME ZONE; AT LOCAL passes the session's zone
///     year quarter month week day day_of_week day_of_year year_of_week hour minute second
///     timezone_hour timezone_minute    EXTRACT
///     trim ltrim rtrim (varchar[, varchar])    normalize(varchar, varchar)
///     current_date current_time current_timestamp localtime localtimestamp    without arguments
///     $current_user $current_catalog $current_schema $current_path            without arguments
///     $json_exists(json-or-varchar, path varchar, on_error varchar) boolean
///     $json_value(input, path, on_empty, empty_default, on_error, error_default: varchar) varchar
///     $json_query(input, path, wrapper, quotes, on_empty, on_error: varchar) varchar
///     $json_object(array(varchar), array(json), null_on_null boolean, unique boolean) varchar
///     $json_array(array(json), null_on_null boolean) varchar
///     $fail(varchar) unknown           raises GENERIC_USER_ERROR: recursion too deep
package final class Binder {
    let context: BindingContext
    let allocator: ColumnAllocator
    /// How often queries of WITH were named so far, counting those within them.
    var namedQueryCount = 0

    package init(_ context: BindingContext, allocator: ColumnAllocator = ColumnAllocator()) {
        self.context = context
        self.allocator = allocator
    }

    var registry: FunctionRegistry { context.registry }

    var joins: SubqueryJoins { SubqueryJoins(allocator: allocator, registry: registry) }

    /// The environment of the statement itself.
    var rootEnvironment: Environment {
        Environment(
            catalog: context.session.catalog, schema: context.session.schema,
            context: context.request)
    }

    /// Binds a statement. Throws faults with spans, Trino's error names and sentences.
    package func bind(_ statement: Statement) throws(QueryFault) -> BoundStatement {
        switch statement.kind {
        case .query(let query): .query(try self.query(query))
        case .createTableAsSelect(let create): .createTableAs(create, try self.query(create.query))
        case .insert(let insert): .insert(try bind(insert))
        case .delete(let delete): .delete(try bind(delete))
        case .update(let update): .update(try bind(update))
        case .merge(let merge): .merge(try bind(merge))
        default: .utility(statement)
        }
    }

    /// Binds a query that stands alone.
    package func query(_ query: Query) throws(QueryFault) -> BoundQuery {
        let relation = try bind(query, in: rootEnvironment)
        return result(relation)
    }

    /// Binds an expression that reads no table: arguments of SET SESSION, CALL, properties.
    package func constant(_ expression: Expression) throws(QueryFault) -> BoundExpression {
        let binder = ExpressionBinder(self, Scope([], outer: nil), rootEnvironment, plan: .oneRow)
        let bound = try binder.bind(expression)
        guard binder.plan.isOneEmptyRow else {
            throw .analysis(
                .expressionNotScalar, "Constant expression cannot contain a subquery",
                expression.span)
        }
        return ExpressionFolding(evaluator: context.evaluator).folded(bound)
    }

    /// Binds a condition over the columns of a table: ALTER TABLE … EXECUTE … WHERE.
    package func condition(
        _ expression: Expression, over table: any PlannedTable
    ) throws(QueryFault) -> (scan: ScanNode, condition: BoundExpression) {
        let (scan, fields) = scan(table, named: table.name)
        let binder = ExpressionBinder(
            self, Scope(fields, outer: nil), rootEnvironment, plan: .scan(scan))
        let bound = try binder.predicate(expression, clause: "WHERE clause")
        guard case .scan = binder.plan else {
            throw .analysis(.notSupported, "Subqueries are not supported here", expression.span)
        }
        return (scan, bound)
    }

    func result(_ relation: BoundRelation) -> BoundQuery {
        let columns = relation.visible.enumerated().map { index, field in
            ResultColumn(
                label: field.name ?? "_col\(index)", id: field.column.id, type: field.column.type,
                origin: field.origin, isAliased: field.isAliased)
        }
        return BoundQuery(plan: relation.plan, columns: columns)
    }
}

extension QueryFault {
    /// A text that the parser refused.
    package init(_ error: SQLSyntaxError) {
        self.init(
            error.code == .notSupported ? .notSupported : .syntaxError, error.message,
            hint: error.hint, span: error.span, cause: error)
    }
}
