import Authority
import Diagnostics
import SQLFunctions
import SQLPlanning
import SQLSyntax
import Vectors

/// A table that is nothing but its description.
final class FakeTable: PlannedTable {
    let name: TableName
    let columns: [TableColumn]
    let statistics: TableStatistics?

    /// `columns`: `name type` each; a `!` behind means NOT NULL.
    init(_ name: String, _ columns: [String], rows: Double, distinct: [String: Double] = [:]) {
        self.name = TableName(catalog: "silver", schema: "main", table: name)
        var list = columns.map { text in
            let isNullable = !text.hasSuffix("!")
            let words = text.split(separator: " ", maxSplits: 1)
            let type = words[1].prefix { $0 != "!" }
            return TableColumn(
                name: String(words[0]), type: LogicalType(parsing: String(type)) ?? .unknown,
                isNullable: isNullable)
        }
        var statistics: [Int: ColumnStatistics] = [:]
        for (index, column) in list.enumerated() {
            var known = ColumnStatistics(distinctCount: distinct[column.name])
            if column.type == .date {
                known.minimum = .integer(8_036)
                known.maximum = .integer(10_440)
                known.distinctCount = known.distinctCount ?? 2_400
            }
            statistics[index] = known
        }
        list.append(TableColumn(name: "$path", type: .text, isNullable: false, isHidden: true))
        list.append(TableColumn(name: "$pos", type: .bigint, isNullable: false, isHidden: true))
        self.columns = list
        self.statistics = TableStatistics(rowCount: rows, columns: statistics)
    }
}

struct FakeCatalog: CatalogView {
    var tables: [String: FakeTable] = [:]
    var views: [String: ViewDefinition] = [:]
    var decisions: [String: Decision] = [:]

    init(_ tables: [FakeTable]) {
        for table in tables { self.tables[table.name.table] = table }
    }

    func resolve(
        _ context: RequestContext, _ name: TableName, version: SQLPlanning.TableVersion,
        span: SourceSpan?
    ) throws(QueryFault) -> ResolvedRelation {
        if let view = views[name.table] { return .view(view) }
        guard let table = tables[name.table] else {
            throw .analysis(.tableNotFound, "Table '\(name)' does not exist", span)
        }
        return .table(
            table, decisions[name.table] ?? Decision(isAllowed: true, reason: "test"))
    }

    var catalogNames: [String] { ["silver"] }
}

/// Scalar functions as the binder needs them: signatures without meaning.
let testRegistry: FunctionRegistry = {
    func fixed(_ name: String, _ types: [LogicalType], _ result: LogicalType) -> ScalarFunction {
        ScalarFunction(
            name: name, signature: .fixed(types, result: result), summary: "", example: "",
            kernel: { _ in })
    }
    func rule(
        _ name: String,
        _ rule: @escaping @Sendable ([ArgumentType]) -> ([ParameterType], LogicalType)?
    ) -> ScalarFunction {
        ScalarFunction(
            name: name,
            signature: .rule(parameters: "T", result: "T") {
                rule($0).map { (parameters: $0.0, result: $0.1) }
            },
            summary: "", example: "", kernel: { _ in })
    }
    var scalars = FunctionRegistry.standard.allScalars
    scalars += [
        fixed("year", [.date], .bigint), fixed("substring", [.text, .bigint, .bigint], .text),
        fixed("abs", [.bigint], .bigint), fixed("abs", [.double], .double),
        fixed("concat", [.text, .text], .text), fixed("lower", [.text], .text),
        fixed("$fail", [.text], .unknown), fixed("$current_user", [], .text),
        rule("$add_interval") { arguments in
            guard arguments.count == 2, case .value(let time) = arguments[0],
                case .value(let interval) = arguments[1]
            else { return nil }
            return ([.value(time), .value(interval)], time)
        },
        rule("transform") { arguments in
            guard arguments.count == 2, case .value(.array(let element)) = arguments[0],
                case .lambda(1, let result) = arguments[1]
            else { return nil }
            return (
                [.value(.array(element)), .lambda(parameters: [element], result: result)],
                .array(result ?? .unknown)
            )
        },
    ].filter { added in !FunctionRegistry.standard.isScalar(added.name) }
    return FunctionRegistry(scalars: scalars, aggregates: FunctionRegistry.standard.allAggregates)
}()

/// Binds and optimizes texts against a catalog.
struct Planning {
    var catalog: FakeCatalog
    var rules = OptimizerRules.all
    var registry = testRegistry
    var parameters: [Expression] = []

    func statement(_ sql: String) throws -> BoundStatement {
        let allocator = ColumnAllocator()
        let request = RequestContext(
            principal: Principal(id: "ann", name: "ann", kind: .user), requestID: "test", door: .sql
        )
        let session = SessionValues(
            startMicroseconds: 0, user: "ann", catalog: "silver", schema: "main")
        let context = BindingContext(
            request: request, session: session, catalog: catalog, registry: registry,
            parameters: parameters)
        let binder = Binder(context, allocator: allocator)
        let bound = try binder.bind(try SQLParser.statement(sql))
        return try Optimizer(
            rules: rules, allocator: allocator, registry: registry, checks: true
        ).optimize(bound)
    }

    func query(_ sql: String) throws -> BoundQuery {
        guard case .query(let query) = try statement(sql) else {
            throw QueryFault(.genericInternalError, "not a query")
        }
        return query
    }

    func text(_ sql: String, estimates: Bool = false) throws -> String {
        var printer = PlanPrinter(showsEstimates: estimates)
        return printer.text(try query(sql).plan)
    }
}

/// TPC-H at scale factor 1, as its tables' statistics have it.
let tpch = FakeCatalog([
    FakeTable(
        "region", ["r_regionkey bigint!", "r_name varchar!", "r_comment varchar"], rows: 5,
        distinct: ["r_regionkey": 5, "r_name": 5]),
    FakeTable(
        "nation",
        ["n_nationkey bigint!", "n_name varchar!", "n_regionkey bigint!", "n_comment varchar"],
        rows: 25,
        distinct: ["n_nationkey": 25, "n_name": 25, "n_regionkey": 5]),
    FakeTable(
        "supplier",
        [
            "s_suppkey bigint!", "s_name varchar!", "s_address varchar!", "s_nationkey bigint!",
            "s_phone varchar!", "s_acctbal decimal(15,2)!", "s_comment varchar!",
        ], rows: 10_000, distinct: ["s_suppkey": 10_000, "s_nationkey": 25]),
    FakeTable(
        "customer",
        [
            "c_custkey bigint!", "c_name varchar!", "c_address varchar!", "c_nationkey bigint!",
            "c_phone varchar!", "c_acctbal decimal(15,2)!", "c_mktsegment varchar!",
            "c_comment varchar!",
        ], rows: 150_000,
        distinct: ["c_custkey": 150_000, "c_nationkey": 25, "c_mktsegment": 5]),
    FakeTable(
        "part",
        [
            "p_partkey bigint!", "p_name varchar!", "p_mfgr varchar!", "p_brand varchar!",
            "p_type varchar!", "p_size integer!", "p_container varchar!",
            "p_retailprice decimal(15,2)!", "p_comment varchar!",
        ], rows: 200_000,
        distinct: [
            "p_partkey": 200_000, "p_brand": 25, "p_type": 150, "p_size": 50, "p_container": 40,
        ]),
    FakeTable(
        "partsupp",
        [
            "ps_partkey bigint!", "ps_suppkey bigint!", "ps_availqty integer!",
            "ps_supplycost decimal(15,2)!", "ps_comment varchar!",
        ], rows: 800_000, distinct: ["ps_partkey": 200_000, "ps_suppkey": 10_000]),
    FakeTable(
        "orders",
        [
            "o_orderkey bigint!", "o_custkey bigint!", "o_orderstatus varchar!",
            "o_totalprice decimal(15,2)!", "o_orderdate date!", "o_orderpriority varchar!",
            "o_clerk varchar!", "o_shippriority integer!", "o_comment varchar!",
        ], rows: 1_500_000,
        distinct: [
            "o_orderkey": 1_500_000, "o_custkey": 100_000, "o_orderstatus": 3, "o_orderpriority": 5,
            "o_clerk": 1_000,
        ]),
    FakeTable(
        "lineitem",
        [
            "l_orderkey bigint!", "l_partkey bigint!", "l_suppkey bigint!", "l_linenumber integer!",
            "l_quantity decimal(15,2)!", "l_extendedprice decimal(15,2)!",
            "l_discount decimal(15,2)!",
            "l_tax decimal(15,2)!", "l_returnflag varchar!", "l_linestatus varchar!",
            "l_shipdate date!", "l_commitdate date!", "l_receiptdate date!",
            "l_shipinstruct varchar!",
            "l_shipmode varchar!", "l_comment varchar!",
        ], rows: 6_001_215,
        distinct: [
            "l_orderkey": 1_500_000, "l_partkey": 200_000, "l_suppkey": 10_000, "l_quantity": 50,
            "l_discount": 11, "l_returnflag": 3, "l_linestatus": 2, "l_shipmode": 7,
            "l_shipinstruct": 4,
        ]),
])
