import Glibc

/// The functions of GEOS that are used, found when they are first needed.
struct GEOSLibrary: @unchecked Sendable {
    // Safe because the handle never changes, and GEOS is thread-safe for different contexts.

    typealias Context = OpaquePointer
    typealias Shape = OpaquePointer
    typealias Unary = @convention(c) (Context, Shape?) -> Shape?
    typealias Binary = @convention(c) (Context, Shape?, Shape?) -> Shape?
    typealias Question = @convention(c) (Context, Shape?) -> CChar
    typealias Relation = @convention(c) (Context, Shape?, Shape?) -> CChar
    typealias Destroy = @convention(c) (Context, OpaquePointer?) -> Void
    typealias Handler = @convention(c) (UnsafePointer<CChar>?, UnsafeMutableRawPointer?) -> Void

    let start: @convention(c) () -> Context?
    let finish: @convention(c) (Context?) -> Void
    let setErrorHandler:
        @convention(c) (Context, Handler?, UnsafeMutableRawPointer?) -> UnsafeRawPointer?
    let makeReader: @convention(c) (Context) -> OpaquePointer?
    let read: @convention(c) (Context, OpaquePointer?, UnsafePointer<UInt8>?, Int) -> Shape?
    let destroyReader: Destroy
    let makeWriter: @convention(c) (Context) -> OpaquePointer?
    let setByteOrder: @convention(c) (Context, OpaquePointer?, Int32) -> Void
    let setDimension: @convention(c) (Context, OpaquePointer?, Int32) -> Void
    let setIncludesSRID: @convention(c) (Context, OpaquePointer?, CChar) -> Void
    let write:
        @convention(c) (Context, OpaquePointer?, Shape?, UnsafeMutablePointer<Int>) ->
            UnsafeMutablePointer<UInt8>?
    let destroyWriter: Destroy
    let free: @convention(c) (Context, UnsafeMutableRawPointer?) -> Void
    let destroyShape: Destroy
    let prepare: @convention(c) (Context, Shape?) -> OpaquePointer?
    let destroyPrepared: Destroy

    private let handle: UnsafeMutableRawPointer

    /// The library, loaded once; nil where it is not installed.
    static let shared: GEOSLibrary? = GEOSLibrary()

    private init?() {
        guard
            let handle = dlopen("libgeos_c.so.1", RTLD_NOW | RTLD_LOCAL)
                ?? dlopen("libgeos_c.so", RTLD_NOW | RTLD_LOCAL)
        else { return nil }
        func find<Function>(_ name: String, _: Function.Type = Function.self) -> Function? {
            dlsym(handle, name).map { unsafeBitCast($0, to: Function.self) }
        }
        guard let start = find("GEOS_init_r", (@convention(c) () -> Context?).self),
            let finish = find("GEOS_finish_r", (@convention(c) (Context?) -> Void).self),
            let setErrorHandler = find(
                "GEOSContext_setErrorMessageHandler_r",
                (@convention(c) (Context, Handler?, UnsafeMutableRawPointer?) -> UnsafeRawPointer?)
                    .self),
            let makeReader = find(
                "GEOSWKBReader_create_r", (@convention(c) (Context) -> OpaquePointer?).self),
            let read = find(
                "GEOSWKBReader_read_r",
                (@convention(c) (Context, OpaquePointer?, UnsafePointer<UInt8>?, Int) -> Shape?)
                    .self),
            let destroyReader = find("GEOSWKBReader_destroy_r", Destroy.self),
            let makeWriter = find(
                "GEOSWKBWriter_create_r", (@convention(c) (Context) -> OpaquePointer?).self),
            let setByteOrder = find(
                "GEOSWKBWriter_setByteOrder_r",
                (@convention(c) (Context, OpaquePointer?, Int32) -> Void).self),
            let setDimension = find(
                "GEOSWKBWriter_setOutputDimension_r",
                (@convention(c) (Context, OpaquePointer?, Int32) -> Void).self),
            let setIncludesSRID = find(
                "GEOSWKBWriter_setIncludeSRID_r",
                (@convention(c) (Context, OpaquePointer?, CChar) -> Void).self),
            let write = find(
                "GEOSWKBWriter_write_r",
                (@convention(c) (Context, OpaquePointer?, Shape?, UnsafeMutablePointer<Int>) ->
                    UnsafeMutablePointer<UInt8>?).self),
            let destroyWriter = find("GEOSWKBWriter_destroy_r", Destroy.self),
            let free = find(
                "GEOSFree_r", (@convention(c) (Context, UnsafeMutableRawPointer?) -> Void).self),
            let destroyShape = find("GEOSGeom_destroy_r", Destroy.self),
            let prepare = find(
                "GEOSPrepare_r", (@convention(c) (Context, Shape?) -> OpaquePointer?).self),
            let destroyPrepared = find("GEOSPreparedGeom_destroy_r", Destroy.self)
        else { return nil }
        self.handle = handle
        self.start = start
        self.finish = finish
        self.setErrorHandler = setErrorHandler
        self.makeReader = makeReader
        self.read = read
        self.destroyReader = destroyReader
        self.makeWriter = makeWriter
        self.setByteOrder = setByteOrder
        self.setDimension = setDimension
        self.setIncludesSRID = setIncludesSRID
        self.write = write
        self.destroyWriter = destroyWriter
        self.free = free
        self.destroyShape = destroyShape
        self.prepare = prepare
        self.destroyPrepared = destroyPrepared
    }

    /// A function of the library by name. Throws where the installed version lacks it.
    func function<Function>(
        _ name: String, _: Function.Type = Function.self
    ) throws(GeometryError) -> Function {
        guard let symbol = dlsym(handle, name) else {
            throw GeometryError(
                code: .notInstalled, message: "the installed GEOS lacks the function \(name)",
                hint: "install GEOS 3.11 or later (libgeos-c1v5 on Debian)")
        }
        return unsafeBitCast(symbol, to: Function.self)
    }
}
