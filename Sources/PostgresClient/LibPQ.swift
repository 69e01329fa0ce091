import Glibc

/// The functions of libpq that are used, found when they are first needed.
struct LibPQ: @unchecked Sendable {
    // Safe because function pointers never change, and libpq is thread-safe for different connections.

    typealias Text = UnsafePointer<CChar>
    typealias Connection = OpaquePointer
    typealias Answer = OpaquePointer

    let connect: @convention(c) (UnsafePointer<Text?>, UnsafePointer<Text?>, Int32) -> Connection?
    let status: @convention(c) (Connection?) -> Int32
    let errorMessage: @convention(c) (Connection?) -> Text?
    let finish: @convention(c) (Connection?) -> Void
    let socket: @convention(c) (Connection?) -> Int32
    let sendQuery: @convention(c) (Connection?, Text?) -> Int32
    let setSingleRowMode: @convention(c) (Connection?) -> Int32
    let consumeInput: @convention(c) (Connection?) -> Int32
    let isBusy: @convention(c) (Connection?) -> Int32
    let getResult: @convention(c) (Connection?) -> Answer?
    let resultStatus: @convention(c) (Answer?) -> Int32
    let resultErrorField: @convention(c) (Answer?, Int32) -> Text?
    let clear: @convention(c) (Answer?) -> Void
    let rowCount: @convention(c) (Answer?) -> Int32
    let value: @convention(c) (Answer?, Int32, Int32) -> UnsafePointer<UInt8>?
    let length: @convention(c) (Answer?, Int32, Int32) -> Int32
    let isNull: @convention(c) (Answer?, Int32, Int32) -> Int32
    let getCancel: @convention(c) (Connection?) -> OpaquePointer?
    let cancel: @convention(c) (OpaquePointer?, UnsafeMutablePointer<CChar>, Int32) -> Int32
    let freeCancel: @convention(c) (OpaquePointer?) -> Void
    let setNoticeReceiver:
        @convention(c) (
            Connection?, @convention(c) (UnsafeMutableRawPointer?, OpaquePointer?) -> Void,
            UnsafeMutableRawPointer?
        ) -> OpaquePointer?

    // Values of libpq-fe.h.
    static let connectionOK: Int32 = 0
    static let commandOK: Int32 = 1
    static let tuplesOK: Int32 = 2
    static let singleTuple: Int32 = 9
    static let fieldState = Int32(UInt8(ascii: "C"))
    static let fieldMessage = Int32(UInt8(ascii: "M"))
    static let fieldHint = Int32(UInt8(ascii: "H"))

    /// The library, loaded once.
    static let shared: LibPQ? = load()

    private static func load() -> LibPQ? {
        // Symbols stay its own: our OpenSSL must not answer for the one that libpq was built with.
        let flags = RTLD_NOW | RTLD_LOCAL | 0x8 /* RTLD_DEEPBIND */
        guard let handle = dlopen("libpq.so.5", flags) ?? dlopen("libpq.so", flags) else {
            return nil
        }
        func find<Function>(_ name: String) -> Function? {
            dlsym(handle, name).map { unsafeBitCast($0, to: Function.self) }
        }
        guard
            let connect:
                @convention(c) (UnsafePointer<Text?>, UnsafePointer<Text?>, Int32) ->
                    Connection? = find("PQconnectdbParams"),
            let status: @convention(c) (Connection?) -> Int32 = find("PQstatus"),
            let errorMessage: @convention(c) (Connection?) -> Text? = find("PQerrorMessage"),
            let finish: @convention(c) (Connection?) -> Void = find("PQfinish"),
            let socket: @convention(c) (Connection?) -> Int32 = find("PQsocket"),
            let sendQuery: @convention(c) (Connection?, Text?) -> Int32 = find("PQsendQuery"),
            let setSingleRowMode: @convention(c) (Connection?) -> Int32 = find(
                "PQsetSingleRowMode"),
            let consumeInput: @convention(c) (Connection?) -> Int32 = find("PQconsumeInput"),
            let isBusy: @convention(c) (Connection?) -> Int32 = find("PQisBusy"),
            let getResult: @convention(c) (Connection?) -> Answer? = find("PQgetResult"),
            let resultStatus: @convention(c) (Answer?) -> Int32 = find("PQresultStatus"),
            let resultErrorField: @convention(c) (Answer?, Int32) -> Text? = find(
                "PQresultErrorField"),
            let clear: @convention(c) (Answer?) -> Void = find("PQclear"),
            let rowCount: @convention(c) (Answer?) -> Int32 = find("PQntuples"),
            let value: @convention(c) (Answer?, Int32, Int32) -> UnsafePointer<UInt8>? = find(
                "PQgetvalue"),
            let length: @convention(c) (Answer?, Int32, Int32) -> Int32 = find("PQgetlength"),
            let isNull: @convention(c) (Answer?, Int32, Int32) -> Int32 = find("PQgetisnull"),
            let getCancel: @convention(c) (Connection?) -> OpaquePointer? = find("PQgetCancel"),
            let cancel: @convention(c) (OpaquePointer?, UnsafeMutablePointer<CChar>, Int32) -> Int32
            = find(
                "PQcancel"),
            let freeCancel: @convention(c) (OpaquePointer?) -> Void = find("PQfreeCancel"),
            let setNoticeReceiver:
                @convention(c) (
                    Connection?, @convention(c) (UnsafeMutableRawPointer?, OpaquePointer?) -> Void,
                    UnsafeMutableRawPointer?
                ) -> OpaquePointer? = find("PQsetNoticeReceiver")
        else { return nil }
        return LibPQ(
            connect: connect, status: status, errorMessage: errorMessage, finish: finish,
            socket: socket, sendQuery: sendQuery, setSingleRowMode: setSingleRowMode,
            consumeInput: consumeInput, isBusy: isBusy, getResult: getResult,
            resultStatus: resultStatus, resultErrorField: resultErrorField, clear: clear,
            rowCount: rowCount, value: value, length: length, isNull: isNull,
            getCancel: getCancel, cancel: cancel, freeCancel: freeCancel,
            setNoticeReceiver: setNoticeReceiver)
    }
}
