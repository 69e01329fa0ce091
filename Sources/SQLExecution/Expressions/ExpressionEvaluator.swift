package import Authority
package import SQLFunctions
package import SQLPlanning
package import Vectors

/// Evaluates expressions that read no column, for the binder and the optimizer.
package struct ExpressionEvaluator: ConstantEvaluator {
    private let session: SessionValues
    private let cancellation: Cancellation?
    private let parentBudget: MemoryBudget?

    /// `cancellation`: of the statement; `parentBudget`: what all queries may take together.
    package init(
        session: SessionValues, cancellation: Cancellation? = nil,
        parentBudget: MemoryBudget? = nil
    ) {
        self.session = session
        self.cancellation = cancellation
        self.parentBudget = parentBudget
    }

    package func evaluate(_ expression: BoundExpression) throws(QueryFault) -> LiteralValue {
        let value = try compute(
            expression, limitBytes: Limits.constantBytes, literalBytes: .max)
        guard let value else {
            throw QueryFault(
                .exceededMemoryLimit, "a constant holds more than \(Limits.constantBytes) bytes")
        }
        return value
    }

    /// What is large, fails or comes too late stays an expression, which execution computes.
    package func folded(_ expression: BoundExpression) -> LiteralValue? {
        try? compute(
            expression, limitBytes: Limits.foldingBytes, literalBytes: Limits.foldedLiteralBytes)
    }

    /// The value; nil when it is larger than `literalBytes`.
    private func compute(
        _ expression: BoundExpression, limitBytes: Int, literalBytes: Int
    ) throws(QueryFault) -> LiteralValue? {
        let context = EvaluationContext(session: session) { [cancellation] in
            cancellation?.isCancelled ?? false
        }
        if context.leavesEarly(), let fault = context.takeFault() { throw fault }
        let program = ExpressionProgram(
            [expression], layout: Layout([]), context: context,
            budget: MemoryBudget(limitBytes: limitBytes, parent: parentBudget))
        let chunk = Chunk(columnCount: 0)
        chunk.count = 1
        let result = UnsafeMutablePointer<Vector>.allocate(capacity: 1)
        defer { result.deallocate() }
        try program.evaluate(chunk, into: result)
        var room = literalBytes
        guard fits(result[0], 0, expression.type, &room) else { return nil }
        return literal(of: result[0], row: 0, type: expression.type)
    }

    /// Takes what the value needs as a literal from `room`; whether there was enough.
    private func fits(
        _ vector: Vector, _ row: Int, _ type: LogicalType, _ room: inout Int
    ) -> Bool {
        guard room >= 16 else { return false }
        room -= 16
        guard vector.isValid(row) else { return true }
        let index = vector.valueIndex(row)
        switch type.physical {
        case .bool, .int32, .int64, .double, .int128: return true
        case .string:
            room -= vector.pointer(as: StringView.self)[index].count
            return room >= 0
        case .list:
            let entry = vector.pointer(as: ListEntry.self)[index]
            guard let inner = vector.children else { return true }
            for (position, child) in type.children.enumerated() {
                for offset in 0..<Int(entry.count) {
                    guard fits(inner[position], Int(entry.offset) + offset, child, &room) else {
                        return false
                    }
                }
            }
            return true
        case .row:
            guard let inner = vector.children else { return true }
            for (position, child) in type.children.enumerated() {
                guard fits(inner[position], index, child, &room) else { return false }
            }
            return true
        }
    }
}
