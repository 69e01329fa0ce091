import Iceberg
import JSON
import Testing

/// Changes that no client may make, each refused with a hint at what is right.
struct RefusalTests {
    private func snapshot(
        _ sequence: Int64 = 1, operation: String? = "append", list: String? = "s3://lake/t/l.avro"
    ) -> TableUpdate {
        .addSnapshot(
            Snapshot(
                snapshotID: 7, parentID: nil, sequenceNumber: sequence, timestampMilliseconds: 1,
                manifestList: list, operation: operation, summary: [:], schemaID: 0))
    }

    private func isRefused(_ updates: [TableUpdate], version: Int = 2) throws -> Bool {
        do {
            _ = try UpdateTests.table(version: version).applying(updates, nowMilliseconds: 5)
            return false
        } catch let error as IcebergError {
            #expect(error.code == .invalidUpdate && error.hint != nil, "\(error.message)")
            return true
        }
    }

    @Test(
        "Transforms without a width, and those that nobody knows, partition and sort nothing",
        arguments: [
            ("bucket[0]", true), ("truncate[0]", true), ("bucket[-1]", true), ("bucket[x]", true),
            ("zorder", true), ("bucket[1]", false), ("truncate[1]", false),
        ])
    func transforms(name: String, isRefused: Bool) throws {
        let transform = Transform(name: name)
        let spec = PartitionSpec(
            specID: 1,
            fields: [.init(sourceID: 2, fieldID: 1000, name: "part", transform: transform)])
        #expect(try self.isRefused([.addSpec(spec, hasFieldIDs: true)]) == isRefused)
        let order = SortOrder(
            orderID: 1,
            fields: [
                .init(sourceID: 2, transform: transform, direction: .ascending, nullOrder: .first)
            ])
        #expect(try self.isRefused([.addSortOrder(order)]) == isRefused)
    }

    @Test func snapshotsHaveAFormThatAStateCanHave() throws {
        #expect(try !isRefused([snapshot()]))
        #expect(try isRefused([snapshot(operation: nil)]))
        #expect(try isRefused([snapshot(operation: "insert")]))
        #expect(try isRefused([snapshot(list: nil)]))
        for sequence in [0, -1, 3, Int64.max] { #expect(try isRefused([snapshot(sequence)])) }
        // Version 1 had neither operations nor sequence numbers to rely on.
        #expect(try !isRefused([snapshot(0, operation: nil)], version: 1))
    }

    @Test func retentionIsAtLeastOne() throws {
        func reference(
            _ kind: SnapshotReference.Kind = .branch, keep: Int? = nil, age: Int64? = nil,
            own: Int64? = nil
        ) throws -> Bool {
            try isRefused([
                snapshot(),
                .setSnapshotReference(
                    "r",
                    SnapshotReference(
                        snapshotID: 7, kind: kind, minimumSnapshotsToKeep: keep,
                        maximumSnapshotAgeMilliseconds: age, maximumReferenceAgeMilliseconds: own)),
            ])
        }
        #expect(try reference(keep: 0))
        #expect(try reference(age: 0))
        #expect(try reference(own: -1))
        #expect(try reference(.tag, keep: 1))
        #expect(try reference(.tag, own: 1) == false)
        #expect(try reference(keep: 1, age: 1, own: 1) == false)
    }

    @Test(
        "What metadata says by its own fields is no property",
        arguments: ["uuid", "current-snapshot-id", "default-sort-order", "snapshot-count"])
    func reserved(name: String) throws {
        #expect(try isRefused([.setProperties([name: "x"])]))
    }

    @Test func aColumnOfUnknownTypeIsOptional() throws {
        func added(isRequired: Bool, defaultValue: JSONValue? = nil) throws -> Bool {
            var schema = UpdateTests.schema
            schema.fields.append(
                NestedField(
                    id: 3, name: "later", isRequired: isRequired, type: .primitive(.unknown),
                    initialDefault: defaultValue))
            return try isRefused(
                [.addSchema(schema, lastColumnID: 3), .setCurrentSchema(-1)], version: 3)
        }
        #expect(try added(isRequired: true))
        #expect(try added(isRequired: false, defaultValue: .int(1)))
        #expect(try !added(isRequired: false))
    }

    @Test(
        "A literal of another type is refused; a number that the column has not is not used",
        arguments: [
            ("id", "\"x\"", true), ("id", "true", true), ("id", "[1]", true), ("id", "1", false),
            ("id", "99999999999", false), ("id", "1.5", false), ("region", "1", true),
            ("region", "\"EU\"", false),
        ])
    func literals(column: String, value: String, isRefused: Bool) throws {
        for text in [
            "{\"type\":\"eq\",\"term\":\"\(column)\",\"value\":\(value)}",
            "{\"type\":\"in\",\"term\":\"\(column)\",\"values\":[\(value)]}",
        ] {
            let at = try JSONValue(parsing: Array(text.utf8)).cursor
            var code: IcebergError.Code?
            do {
                _ = try SentFilter(at, schema: UpdateTests.schema, caseSensitive: true)
            } catch let error as IcebergError { code = error.code }
            #expect((code == .invalidUpdate) == isRefused, "\(text)")
        }
    }
}
