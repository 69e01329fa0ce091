import Iceberg
import Testing

struct TransformTests {
    // Iceberg specification, appendix B, "32-bit Hash Requirements": hash & max % count.
    @Test(arguments: [
        (Literal.int(34), Int32(2_017_239_379)), (.long(34), 2_017_239_379),
        (.decimal(unscaled: 1420, scale: 2), -500_754_589), (.date(17_486), -653_330_422),
        (.time(81_068_000_000), -662_762_989),
        (.timestamp(1_510_871_468_000_000), -2_047_944_441),
        (.timestamptz(1_510_871_468_000_000), -2_047_944_441),
        (.timestampNanos(1_510_871_468_000_001_001), -1_207_196_810),
        (.string("iceberg"), 1_210_000_089), (.fixed([0, 1, 2, 3]), -188_683_207),
        (.binary([0, 1, 2, 3]), -188_683_207),
        (
            .uuid([
                0xf7, 0x9c, 0x3e, 0x09, 0x67, 0x7c, 0x4b, 0xbd, 0xa4, 0x79, 0x3f, 0x34, 0x9c, 0xb7,
                0x85, 0xe7,
            ]), 1_488_055_340
        ),
    ])
    func bucketsFollowTheSpecification(value: Literal, hash: Int32) {
        #expect(Transform.bucket(1000).apply(value) == .int((hash & Int32.max) % 1000))
    }

    @Test(arguments: [
        (Transform.truncate(10), Literal.int(1), Literal.int(0)),
        (.truncate(10), .int(-1), .int(-10)),
        (.truncate(10), .long(-11), .long(-20)),
        (.truncate(50), .decimal(unscaled: 1065, scale: 2), .decimal(unscaled: 1050, scale: 2)),
        (.truncate(3), .string("iceberg"), .string("ice")),
        (.truncate(2), .string("😀é!"), .string("😀é")),
        (.year, .date(-1), .int(-1)), (.month, .date(-1), .int(-1)),
        (.day, .timestamp(-1), .date(-1)),
        (.hour, .timestamp(-1), .int(-1)), (.hour, .timestamptz(3_600_000_000), .int(1)),
        (.month, .date(17_501), .int(575)), (.year, .timestamptz(1_512_151_975_038_194), .int(47)),
    ])
    func transformsFollowTheSpecification(transform: Transform, value: Literal, result: Literal) {
        #expect(transform.apply(value) == result)
        #expect(transform.apply(nil) == nil)
    }

    @Test(arguments: ["identity", "bucket[16]", "truncate[3]", "void", "zorder[2]"])
    func namesComeBack(name: String) { #expect(Transform(name: name).name == name) }

    @Test(arguments: [
        (Literal.boolean(true), PrimitiveType.boolean), (.int(-5), .int), (.long(.min), .long),
        (.float(1.5), .float), (.double(-0.0), .double), (.date(-1), .date),
        (.string("é"), .string),
        (.decimal(unscaled: -129, scale: 3), .decimal(precision: 9, scale: 3)),
        (.binary([]), .binary),
        (.uuid(Array(0..<16)), .uuid),
    ])
    func singleValuesComeBack(value: Literal, type: PrimitiveType) {
        #expect(Literal(singleValueBytes: value.singleValueBytes, type: type) == value)
    }

    @Test func boundsOfPromotedColumnsAreWidened() {
        #expect(Literal(singleValueBytes: [1, 0, 0, 0], type: .long) == .long(1))
        #expect(Literal(singleValueBytes: [1, 0], type: .long) == nil)
        #expect(Literal(singleValueBytes: [], type: .decimal(precision: 4, scale: 0)) == nil)
    }
}
