import JSON
import Vectors

/// What the binder makes of JSON_EXISTS, JSON_VALUE, JSON_QUERY, JSON_OBJECT and JSON_ARRAY.
/// Source: ISO/IEC 9075-2:2016, section 6.29 and following; Trino documentation, "JSON functions".
enum SQLJSON {
    static let all: [ScalarFunction] = [
        ScalarFunction(
            "$json_exists", input([.text, .array(.text), .array(.json), .text], .boolean),
            "Whether the path finds anything.", example: "JSON_EXISTS('{\"a\": 1}', 'lax $.a')",
            canFail: true, kernel: exists),
        ScalarFunction(
            "$json_value",
            input([.text, .array(.text), .array(.json), .text, .text, .text, .text], .text),
            "The scalar that the path finds.", example: "JSON_VALUE('{\"a\": 1}', 'lax $.a')",
            nullsPropagate: false, canFail: true, kernel: scalar),
        ScalarFunction(
            "$json_query",
            input([.text, .array(.text), .array(.json), .text, .text, .text, .text], .text),
            "The JSON that the path finds.", example: "JSON_QUERY('{\"a\": [1]}', 'lax $.a')",
            canFail: true, kernel: query),
        ScalarFunction(
            "$json_object", [.array(.text), .array(.json), .boolean, .boolean], .text,
            "A JSON object of names and values.", example: "JSON_OBJECT('a': 1)", canFail: true,
            kernel: object),
        ScalarFunction(
            "$json_array", [.array(.json), .boolean], .text, "A JSON array of values.",
            example: "JSON_ARRAY(1, 2)", kernel: array),
    ]

    private static func input(_ rest: [LogicalType], _ result: LogicalType) -> Signature {
        .values("json", "\(result)") { types in
            guard types.count == rest.count + 1 else { return nil }
            switch types[0] {
            case .json, .varbinary, .varchar: return ([types[0]] + rest, result)
            case .unknown, .char: return ([.text] + rest, result)
            default: return nil
            }
        }
    }

    private static let exists: ScalarFunction.Kernel = { call in
        var finder = PathFinder(call)
        let onError = call.input(4, as: Text.self)
        call.rows { row -> Bool? in
            do throws(QueryFault) { return try !finder.values(row).isEmpty } catch {
                switch onError[row].string {
                case _ where error.code == .invalidPath: throw error
                case "TRUE": return true
                case "FALSE": return false
                case "UNKNOWN": return nil
                default: throw error
                }
            }
        }
    }

    private static let scalar: ScalarFunction.Kernel = { call in
        var finder = PathFinder(call)
        let behaviors = (4..<8).map { call.input($0, as: Text.self) }
        call.rows { row -> String? in
            guard call.arguments[0].isValid(row) else { return nil }
            func otherwise(_ index: Int, _ fault: QueryFault) throws -> String? {
                switch behaviors[index][row].string {
                case _ where fault.code == .invalidPath: throw fault
                case "NULL": return nil
                case "DEFAULT":
                    return call.arguments[index + 5].isValid(row)
                        ? behaviors[index + 1][row].string : nil
                default: throw fault
                }
            }
            let values: [JSONValue]
            do throws(QueryFault) { values = try finder.values(row) } catch {
                return try otherwise(2, error)
            }
            guard let first = values.first else {
                return try otherwise(0, result("JSON path found no items"))
            }
            guard values.count == 1 else {
                return try otherwise(2, result("JSON path found multiple items"))
            }
            if first == .null { return nil }
            guard let text = first.scalarText else {
                return try otherwise(2, result("JSON path found an array or object"))
            }
            return text
        }
    }

    private static func result(_ message: String) -> QueryFault {
        QueryFault(
            .jsonValueResultError, "cannot extract SQL scalar from JSON: \(message)",
            hint: "say what to do with ON EMPTY and ON ERROR")
    }

    private static let query: ScalarFunction.Kernel = { call in
        var finder = PathFinder(call)
        let options = (4..<8).map { call.input($0, as: Text.self) }
        call.rows { row -> String? in
            func otherwise(_ index: Int, _ fault: QueryFault) throws -> String? {
                switch options[index][row].string {
                case _ where fault.code == .invalidPath: throw fault
                case "NULL": return nil
                case "EMPTY ARRAY": return "[]"
                case "EMPTY OBJECT": return "{}"
                default: throw fault
                }
            }
            func output(_ message: String) -> QueryFault {
                QueryFault(
                    .jsonOutputConversionError, "conversion from JSON failed: \(message)",
                    hint: "use WITH ARRAY WRAPPER, ON EMPTY and ON ERROR")
            }
            let values: [JSONValue]
            do throws(QueryFault) { values = try finder.values(row) } catch {
                return try otherwise(3, error)
            }
            guard let first = values.first else {
                return try otherwise(2, output("JSON path found no items"))
            }
            switch options[0][row].string {
            case "WITH UNCONDITIONAL ARRAY WRAPPER":
                return JSONValue.array(values).encodedText()
            case "WITH CONDITIONAL ARRAY WRAPPER" where values.count > 1 || first.isScalar:
                return JSONValue.array(values).encodedText()
            default: break
            }
            guard values.count == 1 else {
                return try otherwise(3, output("JSON path found multiple items"))
            }
            if options[1][row].string == "OMIT", case .string(let text) = first { return text }
            return first.encodedText()
        }
    }

    private static let object: ScalarFunction.Kernel = { call in
        guard let names = call.arguments[0].children?[0],
            let values = call.arguments[1].children?[0]
        else { return }
        let keepsNulls = call.input(2, as: Bool.self)
        let isUnique = call.input(3, as: Bool.self)
        let nameTexts = Input<Text>(names)
        let valueTexts = Input<Text>(values)
        let valueLists = call.input(1, as: ListEntry.self)
        let nameLists = call.input(0, as: ListEntry.self)
        call.rows { row -> [UInt8] in
            var writer = JSONWriter()
            var seen: Set<String> = []
            writer.beginObject()
            for offset in 0..<Int(nameLists[row].count) {
                let nameRow = Int(nameLists[row].offset) + offset
                let valueRow = Int(valueLists[row].offset) + offset
                guard names.isValid(nameRow) else {
                    throw invalid("null value passed for JSON object key to JSON_OBJECT function")
                }
                let name = nameTexts[nameRow].string
                if isUnique[row], !seen.insert(name).inserted {
                    throw invalid("duplicate key passed to JSON_OBJECT function")
                }
                let isNull = !values.isValid(valueRow)
                if isNull, !keepsNulls[row] { continue }
                writer.member(name)
                if isNull { writer.null() } else { writer.raw(Array(valueTexts[valueRow])) }
            }
            writer.endObject()
            return writer.bytes
        }
    }

    private static let array: ScalarFunction.Kernel = { call in
        guard let values = call.arguments[0].children?[0] else { return }
        let texts = Input<Text>(values)
        call.binary { (list: ListEntry, keepsNulls: Bool) -> [UInt8] in
            var writer = JSONWriter()
            writer.beginArray()
            for offset in 0..<Int(list.count) {
                let row = Int(list.offset) + offset
                if values.isValid(row) {
                    writer.raw(Array(texts[row]))
                } else if keepsNulls {
                    writer.null()
                }
            }
            writer.endArray()
            return writer.bytes
        }
    }
}
