import IcebergAPI
import SQLEngine

/// Functions that SQL made, for clients of the catalog.
@Sendable func shownFunction(_ text: String) -> FunctionText? {
    RoutineFace(text: text).map {
        FunctionText(
            parameters: $0.parameters, returnType: $0.returnType, sql: $0.sql,
            isDeterministic: $0.isDeterministic, isCalledOnNull: $0.isCalledOnNull,
            comment: $0.comment)
    }
}
