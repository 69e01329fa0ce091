import SQLPlanning
import Testing
import Vectors

@testable import SQLExecution

@Suite struct JoinTests {
    /// Every kind of join against a loop over all pairs.
    @Test(arguments: Configuration.allCases, [false, true])
    func joinsGiveWhatAllPairsGive(_ configuration: Configuration, hasResidual: Bool) {
        let sample = Sample(400, others: 450)
        for usesText in [false, true] {
            for kind in 0..<9 {
                let plans = Plans(configuration)
                let (plan, expected) = join(plans, sample, kind, usesText, hasResidual)
                #expect(
                    plans.sorted(plan) == expected.sorted(),
                    "kind \(kind), text keys \(usesText), residual \(hasResidual)")
            }
        }
    }

    private func join(
        _ plans: Plans, _ sample: Sample, _ kind: Int, _ usesText: Bool, _ hasResidual: Bool
    ) -> (LogicalPlan, [String]) {
        let left = plans.table(Sample.types, sample.rows)
        let right = plans.table(Sample.otherTypes, sample.others)
        func keyed(_ side: (plan: LogicalPlan, columns: [PlanColumn])) -> (LogicalPlan, PlanColumn)
        {
            guard usesText else { return (side.plan, side.columns[0]) }
            let key = plans.column(.text, "key")
            let kept = side.columns.map { Assignment(column: $0, expression: reference($0)) }
            let cast = BoundExpression.cast(reference(side.columns[0]), to: .text, isSafe: false)
            return (.project(side.plan, kept + [Assignment(column: key, expression: cast)]), key)
        }
        let (leftPlan, leftKey) = keyed(left)
        let (rightPlan, rightKey) = keyed(right)
        let mark = plans.id()
        let kinds: [JoinKind] = [
            .inner, .left, .right, .full, .semi, .anti, .nullAwareAnti,
            .mark(mark, isNullAware: true), .mark(mark, isNullAware: false),
        ]
        let residual: BoundExpression? =
            hasResidual
            ? .comparison(.less, reference(left.columns[2]), reference(right.columns[2])) : nil
        let node = JoinNode(
            kind: kinds[kind], left: leftPlan, right: rightPlan,
            equalities: [JoinEquality(left: leftKey.id, right: rightKey.id)], residual: residual)
        func full(_ row: [LiteralValue]) -> String { line(usesText ? row + [row[0]] : row) }
        func nulls(_ count: Int) -> String {
            Array(repeating: "NULL", count: usesText ? count + 1 : count).joined(separator: " ")
        }
        var expected: [String] = []
        var matched: Set<Int> = []
        for row in sample.rows {
            var hasMatch = false
            var isUnknown = false
            for (index, other) in sample.others.enumerated() {
                guard let x = integer(row[2]), let y = integer(other[2]), !hasResidual || x < y
                else { continue }
                if row[0] == .null || other[0] == .null {
                    isUnknown = true
                } else if row[0] == other[0] {
                    hasMatch = true
                    matched.insert(index)
                    if kind < 4 { expected.append(full(row) + " " + full(other)) }
                }
            }
            switch kind {
            case 1, 3: if !hasMatch { expected.append(full(row) + " " + nulls(3)) }
            case 4: if hasMatch { expected.append(full(row)) }
            case 5: if !hasMatch { expected.append(full(row)) }
            case 6: if !hasMatch && !isUnknown { expected.append(full(row)) }
            case 7:
                expected.append(full(row) + (hasMatch ? " true" : isUnknown ? " NULL" : " false"))
            case 8: expected.append(full(row) + (hasMatch ? " true" : " false"))
            default: break
            }
        }
        if kind == 2 || kind == 3 {
            for (index, other) in sample.others.enumerated() where !matched.contains(index) {
                expected.append(nulls(5) + " " + full(other))
            }
        }
        return (.join(node), expected)
    }

    /// Joins without equalities compare every pair.
    @Test(arguments: Configuration.allCases)
    func joinsWithoutKeysLoop(_ configuration: Configuration) {
        let sample = Sample(60, others: 70)
        let kinds: [JoinKind] = [.inner, .left, .full, .semi, .anti]
        for (kind, joinKind) in kinds.enumerated() {
            let plans = Plans(configuration)
            let left = plans.table(Sample.types, sample.rows)
            let right = plans.table(Sample.otherTypes, sample.others)
            var expected: [String] = []
            var matched: Set<Int> = []
            for row in sample.rows {
                var hasMatch = false
                for (index, other) in sample.others.enumerated() {
                    guard let x = integer(row[2]), let y = integer(other[2]), x > y + 500 else {
                        continue
                    }
                    hasMatch = true
                    matched.insert(index)
                    if kind < 3 { expected.append(line(row + other)) }
                }
                if !hasMatch && (kind == 1 || kind == 2) {
                    expected.append(line(row + [.null, .null, .null]))
                }
                if hasMatch && kind == 3 || !hasMatch && kind == 4 { expected.append(line(row)) }
            }
            if kind == 2 {
                for (index, other) in sample.others.enumerated() where !matched.contains(index) {
                    expected.append(line([.null, .null, .null, .null, .null] + other))
                }
            }
            let sum = BoundExpression.arithmetic(
                .add, reference(right.columns[2]), number(500), type: .bigint)
            let node = JoinNode(
                kind: joinKind, left: left.plan, right: right.plan, equalities: [],
                residual: .comparison(.greater, reference(left.columns[2]), sum))
            #expect(plans.sorted(.join(node)) == expected.sorted(), "kind \(kind)")
        }
    }

    @Test func notInOverAnEmptySideKeepsNulls() {
        let plans = Plans()
        let left = plans.table([.bigint], [[.integer(1)], [.null]])
        let right = plans.table([.bigint], [])
        let node = JoinNode(
            kind: .nullAwareAnti, left: left.plan, right: right.plan,
            equalities: [JoinEquality(left: left.columns[0].id, right: right.columns[0].id)])
        #expect(plans.sorted(.join(node)) == ["1", "NULL"])
    }

    @Test func nullsMatchWhereTheEqualitySaysSo() {
        let plans = Plans()
        let left = plans.table([.bigint], [[.integer(1)], [.null]])
        let right = plans.table([.bigint], [[.null], [.integer(2)]])
        let node = JoinNode(
            kind: .semi, left: left.plan, right: right.plan,
            equalities: [
                JoinEquality(
                    left: left.columns[0].id, right: right.columns[0].id, matchesNulls: true)
            ])
        #expect(plans.sorted(.join(node)) == ["NULL"])
    }
}
