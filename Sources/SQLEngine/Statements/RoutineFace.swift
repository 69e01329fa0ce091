import Iceberg
package import JSON
import SQLPlanning
import SQLSyntax
import TableFiles
import Vectors

/// What the catalog's clients see of a function that SQL made.
package struct RoutineFace: Sendable {
    package var parameters: [(name: String, type: JSONValue)]
    package var returnType: JSONValue
    /// The expression that it returns, or its whole text where its body is more than that.
    package var sql: String
    package var isDeterministic: Bool
    package var isCalledOnNull: Bool
    package var comment: String?

    /// Reads a kept text; nil where a type has no like in Iceberg, or the text is no function.
    package init?(text: String) {
        guard let statement = try? SQLParser.statement("CREATE " + text),
            case .createFunction(let function, _) = statement.kind,
            let returns = Self.type(function.returns)
        else { return nil }
        var parameters: [(name: String, type: JSONValue)] = []
        for (position, parameter) in function.parameters.enumerated() {
            guard let type = Self.type(parameter.type) else { return nil }
            parameters.append((parameter.name?.canonical ?? "_\(position)", type))
        }
        self.parameters = parameters
        returnType = returns
        sql = text
        if case .statement(let body) = function.body, case .returns(let value) = body.kind {
            sql = SQLFormatter.format(value)
        }
        let declared = function.characteristics
        isDeterministic = declared.isDeterministic ?? true
        isCalledOnNull = declared.isCalledOnNull ?? true
        comment = declared.comment
    }

    private static func type(_ name: TypeName) -> JSONValue? {
        var next: Int32 = 0
        guard let type = try? LogicalType(name),
            let stored = try? IcebergTypes.icebergType(type, &next, formatVersion: 3)
        else { return nil }
        return json(stored)
    }

    /// A type without ids: the specification of functions wants none.
    private static func json(_ type: IcebergType) -> JSONValue {
        switch type {
        case .primitive(let primitive):
            .string(primitive.name.filter { $0 != " " })
        case .list(_, let element, _): ["type": "list", "element": json(element)]
        case .map(_, let key, _, let value, _):
            ["type": "map", "key": json(key), "value": json(value)]
        case .structure(let fields):
            [
                "type": "struct",
                "fields": .array(
                    fields.map { ["name": .string($0.name), "type": json($0.type)] }),
            ]
        }
    }
}
