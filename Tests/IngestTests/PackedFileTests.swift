import Compression
import Foundation
import Iceberg
import JSON
import ObjectStorage
import Platform
import SQLite
import Testing

@testable import Ingest

/// A ZIP archive of stored and deflated parts.
private func zip(_ parts: [(name: String, text: String)], deflates: Bool) throws -> [UInt8] {
    var bytes: [UInt8] = []
    var directory: [UInt8] = []
    func number(_ value: Int, _ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }
    for (name, text) in parts {
        let whole = Array(text.utf8)
        var packed = whole
        if deflates { packed = try Compressor().compress(.deflate, whole) }
        let shared =
            number(20, 2) + number(0, 2) + number(deflates ? 8 : 0, 2) + number(0, 8)
            + number(packed.count, 4) + number(whole.count, 4) + number(name.utf8.count, 2)
            + number(0, 2)
        directory += number(0x0201_4B50, 4) + number(20, 2) + shared + number(0, 10)
        directory += number(bytes.count, 4) + Array(name.utf8)
        bytes += number(0x0403_4B50, 4) + shared + Array(name.utf8) + packed
    }
    let start = bytes.count
    return bytes + directory + number(0x0605_4B50, 4) + number(0, 4) + number(parts.count, 2)
        + number(parts.count, 2) + number(directory.count, 4) + number(start, 4) + number(0, 2)
}

private let relation = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"

/// A workbook with two sheets, shared and inline strings, and formats of dates.
private func workbook(_ rows: String, properties: String = "", deflates: Bool = true) throws
    -> [UInt8]
{
    try zip(
        [
            (
                "_rels/.rels",
                "<Relationships><Relationship Id=\"r\" Type=\"\(relation)/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>"
            ),
            (
                "xl/workbook.xml",
                """
                <?xml version="1.0"?><x:workbook xmlns:x="m" xmlns:r="r">\(properties)<x:sheets>
                <x:sheet name="Orders &amp; more" sheetId="7" r:id="rId2"/>
                <x:sheet name="Other" sheetId="3" r:id="rId1"/></x:sheets></x:workbook>
                """
            ),
            (
                "xl/_rels/workbook.xml.rels",
                """
                <Relationships>
                <Relationship Id="rId1" Type="\(relation)/worksheet" Target="worksheets/sheet1.xml"/>
                <Relationship Id="rId2" Type="\(relation)/worksheet" Target="/xl/worksheets/sheet2.xml"/>
                <Relationship Id="rId3" Type="\(relation)/sharedStrings" Target="sharedStrings.xml"/>
                <Relationship Id="rId4" Type="\(relation)/styles" Target="styles.xml"/></Relationships>
                """
            ),
            (
                "xl/sharedStrings.xml",
                """
                <sst><si><t>Order ID</t></si><si><r><t>Cus</t></r><r><t>tomer</t></r><rPh><t>no</t></rPh></si>
                <si><t xml:space="preserve"> Ada &lt;3 </t></si><si/></sst>
                """
            ),
            (
                "xl/styles.xml",
                """
                <styleSheet><numFmts><numFmt numFmtId="164" formatCode="[$-409]d\\-mmm\\-yy;@"/>
                <numFmt numFmtId="165" formatCode="&quot;day&quot; 0.00"/></numFmts>
                <cellStyleXfs><xf numFmtId="14"/></cellStyleXfs>
                <cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="22"/><xf numFmtId="164"/>
                <xf numFmtId="165"/><xf numFmtId="21"/></cellXfs></styleSheet>
                """
            ),
            (
                "xl/worksheets/sheet1.xml",
                "<worksheet><sheetData><row><c t=\"inlineStr\"><is><t>only</t></is></c></row><row><c><v>5</v></c></row></sheetData></worksheet>"
            ),
            ("xl/worksheets/sheet2.xml", "<worksheet><sheetData>\(rows)</sheetData></worksheet>"),
        ], deflates: deflates)
}

private let header = """
    <row r="2"><c r="B2" t="s"><v>0</v></c><c r="C2" t="s"><v>1</v></c><c r="D2" t="inlineStr"><is><t>Paid</t></is></c>
    <c r="E2" t="str"><v>amount</v></c><c r="F2" t="str"><v>day</v></c><c r="G2" t="str"><v>at</v></c>
    <c r="H2" t="str"><v>clock</v></c></row>
    """

private func failure(_ body: () throws -> Void) -> String? {
    do {
        try body()
        return nil
    } catch let error as IngestError {
        return error.code.rawValue
    } catch {
        return "\(error)"
    }
}

extension Bench {
    fileprivate func put(_ key: String, bytes: [UInt8]) throws {
        try store.write(bytes, to: ObjectLocation(bucket: "landing", key: key))
    }

    /// Without the columns that tell where a row comes from.
    fileprivate func plainRows(_ name: String) throws -> [String] {
        try rows(name).map { row in
            row.split(separator: "|", omittingEmptySubsequences: false).prefix {
                !$0.hasPrefix("s3://")
            }
            .joined(separator: "|")
        }
    }
}

@Suite struct PackedFileTests {
    private func options(_ file: String, mode: String = "replace-file", _ more: String = "")
        -> String
    {
        """
        {"source": {"object": "s3://landing/silver/bank/moves/\(file)"\(more)}, "target": "from-key",
         "mode": "\(mode)"}
        """
    }

    @Test(arguments: [("csv.gz", Codec.gzip), ("CSV.ZST", .zstd), ("csv.lz4", .lz4Frame)])
    func packedTextIsUnpackedWhileItIsRead(_ suffix: String, _ codec: Codec) throws {
        let bench = try Bench()
        let lines = (1...40_000).map { "\($0),row number \($0)" }.joined(separator: "\n")
        let bytes = try Compressor().compress(codec, Array("id,note\n\(lines)\n".utf8))
        let file = "a.\(suffix)"
        try bench.put("silver/bank/moves/\(file)", bytes: bytes)
        for mode in ["replace-file", "replace"] {
            let report = try bench.run(options(file, mode: mode))
            #expect(report.rowsInserted == 40_000)
        }
        #expect(try bench.columns("moves").prefix(2) == ["id long", "note string"])
    }

    @Test func severalMembersOfGzipAreOneFile() throws {
        let bench = try Bench()
        let bytes =
            try Compressor().compress(.gzip, Array("n\n1\n".utf8))
            + Compressor().compress(.gzip, Array("2\n".utf8))
        try bench.put("silver/bank/moves/a.csv.gz", bytes: bytes)
        #expect(try bench.run(options("a.csv.gz")).rowsInserted == 2)
    }

    @Test func damagedAndCutFilesAreFaultsThatNoRetryMends() throws {
        let bench = try Bench()
        let whole = try Compressor().compress(
            .gzip, Array((1...50_000).map { "\($0 &* 7919 % 1009)" }.joined(separator: "\n").utf8))
        var broken = whole
        broken[whole.count / 2] ^= 0xFF
        for (name, bytes) in [
            ("cut.csv.gz", Array(whole.dropLast(100))), ("broken.csv.gz", broken),
            ("plain.csv.gz", Array("n\n1\n".utf8)),
        ] {
            try bench.put("silver/bank/moves/\(name)", bytes: bytes)
            do {
                try bench.run(options(name))
                Issue.record("\(name) was taken")
            } catch { #expect(IngestError.isPermanent(error), "\(name): \(error)") }
        }
        #expect(failure { try bench.run(options("x.csv.bz2")) } == "ingest.source_unavailable")
        try bench.put("silver/bank/moves/x.csv.bz2", bytes: [1])
        #expect(failure { try bench.run(options("x.csv.bz2")) } == "ingest.unsupported_source")
        try bench.put("silver/bank/moves/x.parquet.gz", bytes: [1])
        #expect(failure { try bench.run(options("x.parquet.gz")) } == "ingest.unsupported_source")
    }

    @Test(arguments: [true, false])
    func aSheetHasTypedCells(_ deflates: Bool) throws {
        let bench = try Bench()
        let rows = """
            \(header)<row r="4"><c r="B4"><v>1</v></c><c r="C4" t="s"><v>2</v></c><c r="D4" t="b"><v>1</v></c>
            <c r="E4" s="4"><v>12.5</v></c><c r="F4" s="1"><v>45292</v></c><c r="G4" s="2"><v>45292.75</v></c>
            <c r="H4" s="5"><v>0.5</v></c></row>
            <row r="5"><c r="A5" t="str"><v>left of it</v></c><c r="B5"><v>2</v></c><c r="D5" t="e"><v>#N/A</v></c>
            <c r="E5"><v>1E-2</v></c><c r="F5" s="3"><v>60</v></c></row>
            """
        try bench.put("silver/bank/moves/a.xlsx", bytes: try workbook(rows, deflates: deflates))
        try bench.run(options("a.xlsx"))
        #expect(
            try Array(bench.columns("moves").dropLast(3)) == [
                "order_id long", "customer string", "paid boolean", "amount double", "day date",
                "at timestamp", "clock string",
            ])
        #expect(
            try bench.plainRows("moves") == [
                "1| Ada <3 |true|12.5|2024-01-01|1704132000000000|12:00:00",
                "2|NULL|NULL|0.01|1900-02-28|NULL|NULL",
            ])
    }

    @Test func aSheetIsChosenByItsName() throws {
        let bench = try Bench()
        let rows = header + "<row><c r=\"B3\"><v>1</v></c></row>"
        try bench.put("silver/bank/moves/a.xlsx", bytes: try workbook(rows))
        try bench.run(options("a.xlsx", mode: "append", #", "sheet": "Other""#))
        #expect(try bench.rows("moves") == ["5"])
        #expect(
            failure { try bench.run(options("a.xlsx", mode: "append", #", "sheet": "Othr""#)) }
                == "ingest.source_unavailable")
    }

    @Test func daysAreCountedFrom1904WhereTheWorkbookSaysSo() throws {
        let bench = try Bench()
        let rows = """
            <row><c t="str"><v>d</v></c></row><row><c s="1"><v>0</v></c></row><row><c s="1"><v>43830</v></c></row>
            """
        let file = try workbook(rows, properties: "<workbookPr date1904=\"1\"/>")
        try bench.put("silver/bank/moves/a.xlsx", bytes: file)
        try bench.run(options("a.xlsx"))
        #expect(try bench.plainRows("moves") == ["1904-01-01", "2024-01-01"])
    }

    @Test func whatIsNoWorkbookIsAFault() throws {
        let bench = try Bench()
        var cut = try workbook(header)
        cut.removeLast(400)
        for (index, bytes) in [
            [], Array("no zip".utf8), cut, try zip([("a", "b")], deflates: false),
            try workbook("<row><c t=\"s\"><v>0</v"), try workbook("<!DOCTYPE x><row/>"),
            try workbook("<row><c><v>&boom;</v></c></row>"),
        ].enumerated() {
            let name = "bad\(index).xlsx"
            try bench.put("silver/bank/moves/\(name)", bytes: bytes)
            #expect(failure { try bench.run(options(name)) } == "ingest.damaged_file", "\(name)")
        }
        try bench.put("silver/bank/moves/empty.xlsx", bytes: try workbook(""))
        #expect(failure { try bench.run(options("empty.xlsx")) } == "ingest.unsupported_source")
    }

    @Test(arguments: [
        ("General", Workbook.NumberStyle.plain), ("0.00", .plain), ("yyyy-mm-dd", .date),
        ("dd/mm/yyyy hh:mm", .timestamp), ("[h]:mm:ss", .time), ("hh:mm", .time), ("mmm", .date),
        ("[Red]0.00;[Blue]-0.00", .plain), ("\"year\" 0", .plain), ("0\\d", .plain),
        ("_-* #,##0.00 [$€-1]_-", .plain),
    ])
    func aFormatsLettersTellWhatNumbersAre(_ code: String, _ style: Workbook.NumberStyle) {
        #expect(Workbook.style(ofFormat: code) == style)
    }

    @Test func momentsWithAnOffsetAndDaysBehindMonthsAreFound() throws {
        let bench = try Bench()
        try bench.put(
            "silver/bank/moves/a.csv",
            "at,day\n2026-01-01T12:00:00Z,01-31-2026\n2026-01-01 12:00:00+02:00,12-01-2026\n")
        try bench.run(options("a.csv"))
        #expect(try bench.columns("moves").prefix(2) == ["at timestamptz", "day date"])
        #expect(
            try bench.plainRows("moves") == [
                "1767261600000000|2026-12-01", "1767268800000000|2026-01-31",
            ])
    }
}

@Suite struct RegistryTests {
    @Test func everyFileIsNotedWithWhatBecameOfIt() throws {
        let bench = try Bench()
        let registry = try IngestRegistry(
            path: bench.directory.appendingPathComponent("ingest.sqlite").path,
            nowMicroseconds: { 1_000 })
        defer { registry.database.close() }
        let ingestor = Ingestor(
            catalog: bench.catalog, store: bench.store, authorizer: bench.ingestor.authorizer,
            entropy: bench.ingestor.entropy, budget: bench.budget, registry: registry)
        var count = 0
        func load(_ file: String, _ mode: String = "replace-file") throws {
            count += 1
            let more = mode == "replace-file" ? #", "on_delete": "remove""# : ""
            _ = try ingestor.run(
                bench.context,
                IngestRequest(
                    JSONValue(
                        parsing: """
                            {"source": {"object": "s3://landing/\(file)"}, "target": "silver.bank.t",
                             "mode": "\(mode)"\(more)}
                            """)), identity: IngestIdentity(runID: "r\(count)", stepID: "s"))
        }
        try bench.put("a.csv", "n\n1\n2\n")
        try bench.put("bad.csv", "n,n2\n1\n")
        try bench.put("b.csv", "n\n3\n")
        try load("a.csv")
        #expect(throws: (any Error).self) { try load("bad.csv") }
        try load("b.csv", "append")
        func lines() throws -> [String] {
            try registry.entries().map {
                "\($0.sourceFile.dropFirst(13)) \($0.status.rawValue) \($0.rowCount ?? -1) \($0.target)"
            }
        }
        #expect(
            try lines() == [
                "a.csv loaded 2 silver.bank.t", "b.csv loaded 1 silver.bank.t",
                "bad.csv failed -1 silver.bank.t",
            ])
        let entries = try registry.entries()
        #expect(entries[2].message.contains("fields") && entries[0].message.isEmpty)
        #expect(entries[0].sizeBytes == 6 && !entries[0].etag.isEmpty)
        #expect(entries[0].atMicroseconds == 1_000)
        try bench.put("bad.csv", "n\n9\n")
        try load("bad.csv")
        try bench.store.delete(ObjectLocation(bucket: "landing", key: "a.csv"))
        try load("a.csv")
        try load("b.csv", "append")
        #expect(
            try lines() == [
                "a.csv removed 0 silver.bank.t", "b.csv loaded 1 silver.bank.t",
                "bad.csv loaded 1 silver.bank.t",
            ])
    }
}
