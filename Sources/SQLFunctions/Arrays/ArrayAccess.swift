import Vectors

extension ScalarFunction {
    /// Functions that look into arrays.
    static let arrayAccess: [ScalarFunction] = [
        ScalarFunction(
            "cardinality",
            .values("array(T) or map(K, V)", "bigint") { types in
                guard types.count == 1, types[0].element != nil || types[0].keyAndValue != nil
                else { return nil }
                return ([types[0] == .unknown ? .array(.unknown) : types[0]], .bigint)
            }, "How many elements or pairs there are.", example: "cardinality(ARRAY[1, 2])",
            kernel: unary { (entry: ListEntry) in Int64(entry.count) }),
        ScalarFunction(
            "contains", .arrayAndElement("boolean") { _ in .boolean },
            "Whether the array has the element; NULL when only a NULL could be it.",
            example: "contains(ARRAY[1, 2], 2)",
            kernel: { call in
                let lists = ListInput(call, 0)
                let type = call.argumentTypes[1]
                call.rows { row -> Bool? in
                    var hasNull = false
                    for element in lists.rows(row) {
                        guard lists.elements.isValid(element) else {
                            hasNull = true
                            continue
                        }
                        if ValueOrder.compare(type, lists.elements, element, call.arguments[1], row)
                            == 0
                        {
                            return true
                        }
                    }
                    return hasNull ? nil : false
                }
            }),
        ScalarFunction(
            "array_position", .arrayAndElement("bigint") { _ in .bigint },
            "Where the element first stands, counted from 1; 0 when it does not.",
            example: "array_position(ARRAY['a', 'b'], 'b')",
            kernel: { call in
                let lists = ListInput(call, 0)
                let type = call.argumentTypes[1]
                call.rows { row -> Int64 in
                    let rows = lists.rows(row)
                    let found = rows.first { element in
                        lists.elements.isValid(element)
                            && ValueOrder.compare(
                                type, lists.elements, element, call.arguments[1], row) == 0
                    }
                    return found.map { Int64($0 - rows.lowerBound) + 1 } ?? 0
                }
            }),
        ScalarFunction(
            "$subscript", .array([.bigint], "T") { $0 },
            "The element at a 1-based position; fails outside.", example: "ARRAY[1, 2][1]",
            canFail: true,
            kernel: { call in
                pick(call) { row, rows in
                    let index = call.input(1, as: Int64.self)[row]
                    guard index != 0 else { throw invalid("SQL array indices start at 1") }
                    guard index > 0 else { throw invalid("Array subscript is negative: \(index)") }
                    guard index <= Int64(rows.count) else {
                        throw invalid(
                            "Array subscript must be less than or equal to array length: \(index) > "
                                + "\(rows.count)")
                    }
                    return rows.lowerBound + Int(index) - 1
                }
            }),
        ScalarFunction(
            "element_at", .array([.bigint], "T") { $0 },
            "The element at a 1-based position, from the end when negative; NULL outside.",
            example: "element_at(ARRAY[1, 2], -1)", canFail: true,
            kernel: { call in
                pick(call) { row, rows in
                    let index = call.input(1, as: Int64.self)[row]
                    guard index != 0 else { throw invalid("SQL array indices start at 1") }
                    guard index.magnitude <= UInt64(rows.count) else { return nil }
                    return index > 0
                        ? rows.lowerBound + Int(index) - 1 : rows.upperBound + Int(index)
                }
            }),
        ScalarFunction(
            "array_first", .array([], "T") { $0 }, "The first element; NULL for an empty array.",
            example: "array_first(ARRAY[1, 2])", kernel: { call in pick(call) { $1.first } }),
        ScalarFunction(
            "array_last", .array([], "T") { $0 }, "The last element; NULL for an empty array.",
            example: "array_last(ARRAY[1, 2])", kernel: { call in pick(call) { $1.last } }),
        extreme("array_max", "The largest element; NULL when one is NULL or there is none.", 1),
        extreme("array_min", "The smallest element; NULL when one is NULL or there is none.", -1),
        ScalarFunction(
            "arrays_overlap", .twoArrays("boolean") { _ in .boolean },
            "Whether the arrays share an element that is not NULL.",
            example: "arrays_overlap(ARRAY[1, 2], ARRAY[2, 3])",
            kernel: { call in
                let left = ListInput(call, 0)
                let right = ListInput(call, 1)
                let type = call.argumentTypes[0].element ?? .unknown
                call.rows { row -> Bool? in
                    let keys = Set(
                        left.rows(row).filter(left.elements.isValid).map {
                            ValueKey.of(type, left.elements, $0)
                        })
                    var hasNull = left.rows(row).contains { !left.elements.isValid($0) }
                    for element in right.rows(row) {
                        guard right.elements.isValid(element) else {
                            hasNull = true
                            continue
                        }
                        if keys.contains(ValueKey.of(type, right.elements, element)) { return true }
                    }
                    return hasNull ? nil : false
                }
            }),
        join([]), join([.text]),
    ]

    private static func extreme(_ name: String, _ summary: String, _ sign: Int) -> ScalarFunction {
        ScalarFunction(
            name, .array([], "T") { $0.isOrderable ? $0 : nil }, summary,
            example: "\(name)(ARRAY[1, 2])",
            kernel: { call in
                let lists = ListInput(call, 0)
                let type = call.resultType
                pick(call) { _, rows in
                    var best: Int?
                    for element in rows {
                        guard lists.elements.isValid(element) else { return nil }
                        guard let current = best else {
                            best = element
                            continue
                        }
                        let order = ValueOrder.compare(
                            type, lists.elements, element, lists.elements, current)
                        if order * sign > 0 { best = element }
                    }
                    return best
                }
            })
    }

    private static func join(_ rest: [LogicalType]) -> ScalarFunction {
        ScalarFunction(
            "array_join",
            .array([.text] + rest, "varchar") { $0.children.isEmpty ? .text : nil },
            "The elements as text with a separator; NULLs are left out or replaced.",
            example: rest.isEmpty
                ? "array_join(ARRAY[1, 2], ',')" : "array_join(ARRAY[1, NULL], ',', '?')",
            kernel: { call in
                let lists = ListInput(call, 0)
                let type = call.argumentTypes[0].element ?? .unknown
                let separators = call.input(1, as: Text.self)
                let replacements = rest.isEmpty ? nil : call.input(2, as: Text.self)
                var texts = ValueText(call)
                call.rows { row -> String in
                    var pieces: [String] = []
                    for element in lists.rows(row) {
                        if lists.elements.isValid(element) {
                            pieces.append(texts.text(type, lists.elements, element) ?? "")
                        } else if let replacements {
                            pieces.append(replacements[row].string)
                        }
                    }
                    return pieces.joined(separator: separators[row].string)
                }
            })
    }
}

/// Gives the element that `body` chooses by its row in the elements; nil is NULL.
private func pick(_ call: KernelCall, _ body: (Int, Range<Int>) throws -> Int?) {
    let lists = ListInput(call, 0)
    chooseValue(call, lists.elements) { row in try body(row, lists.rows(row)) }
}

/// Gives the value of `source` at the row that `body` chooses; nil is NULL.
func chooseValue(_ call: KernelCall, _ source: Vector, _ body: (Int) throws -> Int?) {
    let output = Output(call)
    let isNested = !call.resultType.children.isEmpty
    let builder = ColumnBuilder(call.resultType, output)
    call.forEachRow { row in
        var chosen: Int?
        do { chosen = try body(row) } catch { call.fail(error) }
        if isNested { builder.skip(to: row) }
        if let chosen {
            if isNested {
                builder.append(source, chosen)
            } else {
                output.copyFlat(source, chosen, to: row)
            }
        } else if isNested {
            builder.pushNull()
        } else {
            output.setNull(row)
        }
    }
    if isNested { builder.finish(call) }
}
