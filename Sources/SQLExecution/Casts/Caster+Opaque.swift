import SQLFunctions
import Vectors

extension Caster {
    /// To a digest from its bytes, and to the other kind of HyperLogLog.
    func toOpaque(
        _ type: OpaqueType, _ input: Vector, _ index: Int, _ output: ColumnBuffer, _ target: Int,
        _ frame: Frame
    ) {
        switch (source, type) {
        case (.varbinary, _), (.opaque, .hyperLogLog), (.opaque, .p4HyperLogLog):
            guard let kind = SketchFolding.Kind(self.target) else {
                return reject(frame, output, target)
            }
            let bytes = input.pointer(as: StringView.self)[index].withBytes { [UInt8]($0) }
            do throws(QueryFault) {
                output.store(frame.keep(try SketchFolding.checked(kind, bytes)), target)
            } catch {
                frame.context.fail(
                    QueryFault(.invalidCastArgument, error.message, hint: error.hint))
                output.setNull(target)
            }
        default: reject(frame, output, target)
        }
    }
}
