import Diagnostics
package import SQLFunctions
package import SQLSyntax
import Vectors

extension Binder {
    /// Declares a function of WITH FUNCTION; later ones may call it.
    func declare(
        _ function: FunctionSpecification, in environment: inout Environment
    ) throws(QueryFault) {
        guard function.name.parts.count == 1, let name = function.name.parts.first else {
            throw .analysis(
                .syntaxError, "Inline function names cannot be qualified: \(function.name)",
                function.span)
        }
        guard environment.routines[name.canonical] == nil else {
            throw .analysis(
                .alreadyExists, "Function already declared: \(name.canonical)", function.span)
        }
        environment.routines[name.canonical] = function
    }

    /// Checks a routine before it is kept: its types, names and returns.
    package func check(_ function: FunctionSpecification) throws(QueryFault) {
        let binder = ExpressionBinder(self, Scope([], outer: nil), rootEnvironment, plan: .oneRow)
        var arguments: [BoundExpression] = []
        for parameter in function.parameters {
            arguments.append(.null(try LogicalType(parameter.type)))
        }
        _ = try binder.call(Routines.Found(candidates: [function]), arguments, function.span)
    }
}

/// Routines that a call may mean.
enum Routines {
    struct Found {
        var candidates: [FunctionSpecification]
        /// The full name of a routine of a schema, whose body sees no inline function.
        var stored: TableName?
    }

    /// The specification in a text that a catalog holds.
    static func read(_ text: String) throws(QueryFault) -> FunctionSpecification {
        do throws(SQLSyntaxError) {
            if case .createFunction(let found, _) = try SQLParser.statement("CREATE " + text).kind {
                return found
            }
        } catch {
            throw QueryFault(
                .invalidView, "a stored function cannot be read: \(error.message)", cause: error)
        }
        throw QueryFault(.invalidView, "a stored function is no function")
    }
}

extension ExpressionBinder {
    /// What a name of a call means: a function of WITH first, then one of the product, then one of the
    /// session's schema; a qualified name is one of its schema.
    func routine(
        _ name: QualifiedName, _ span: SourceSpan
    ) throws(QueryFault) -> Routines.Found? {
        let parts = name.canonicalParts
        let last = parts[parts.count - 1]
        if parts.count == 1 {
            if let inline = environment.routines[last] {
                return Routines.Found(candidates: [inline])
            }
            if registry.isScalar(last) || registry.isAggregate(last)
                || ExpressionBinder.isForm(last)
            {
                return nil
            }
        }
        guard parts.count <= 3,
            let schema = parts.count > 1 ? parts[parts.count - 2] : environment.schema,
            let catalog = parts.count > 2 ? parts[0] : environment.catalog
        else { return nil }
        let full = TableName(catalog: catalog, schema: schema, table: last)
        let texts = try binder.context.catalog.routines(environment.context, full)
        if texts.isEmpty { return nil }
        guard !environment.views.contains(full) else {
            throw .analysis(.notSupported, "Recursive functions are not supported: \(full)", span)
        }
        var found = Routines.Found(candidates: [], stored: full)
        for text in texts { found.candidates.append(try Routines.read(text)) }
        return found
    }

    /// Names that are written as functions and bound apart.
    private static func isForm(_ name: String) -> Bool {
        ["coalesce", "nullif", "if", "try", "typeof"].contains(name)
    }

    /// A call of the first candidate that takes the arguments.
    func call(
        _ found: Routines.Found, _ arguments: [BoundExpression], _ span: SourceSpan
    ) throws(QueryFault) -> BoundExpression {
        guard environment.depth < 50 else {
            throw .analysis(.notSupported, "Functions call each other too deeply", span)
        }
        var fault: QueryFault?
        for candidate in found.candidates {
            // A function does not see itself, nor the columns around its call.
            var inner = environment
            inner.depth += 1
            inner.outer = nil
            inner.routines = environment.routines
            if let stored = found.stored {
                inner.routines = [:]
                inner.views.append(stored)
                inner.catalog = stored.catalog
                inner.schema = stored.schema
            }
            if let name = candidate.name.parts.last { inner.routines[name.canonical] = nil }
            let binder = ExpressionBinder(
                self.binder, Scope([], outer: nil), inner, plan: .oneRow)
            do throws(QueryFault) {
                return try RoutineBinding.call(candidate, arguments, binder, span)
            } catch {
                if fault == nil || error.code != .functionNotFound { fault = error }
                if error.code != .functionNotFound { break }
            }
        }
        throw fault
            ?? .analysis(.functionNotFound, "The function has no definition", span)
    }
}
