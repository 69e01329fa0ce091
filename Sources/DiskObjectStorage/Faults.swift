import Authority
import ObjectStorage
import Platform
import SQLite

/// Runs `body` and tells its failures in the words of the store.
func storing<Result>(
    _ doing: @autoclosure () -> String, _ body: () throws -> Result
) throws(ObjectStoreError) -> Result {
    do {
        return try body()
    } catch let fault as ObjectStoreError {
        throw fault
    } catch let denial as AccessDenied {
        throw ObjectStoreError(
            code: .accessDenied, message: denial.message, hint: denial.hint, cause: denial)
    } catch {
        throw ObjectStoreError(
            code: storeCode(of: error), message: "cannot \(doing())", hint: hint(of: error),
            cause: error)
    }
}

private func storeCode(of error: any Error) -> ObjectStoreError.Code {
    if let fault = error as? PlatformError, fault.code == .noSpace { return .storageFull }
    guard let fault = error as? SQLiteError else { return .unavailable }
    return switch fault.code {
    case .diskFull: .storageFull
    case .corrupted: .corrupted
    case .tooBig: .limitExceeded
    case .cannotOpen, .newerSchema, .busy, .constraint, .uniqueViolation, .inputOutput, .readOnly,
        .cancelled, .closed, .badStatement:
        .unavailable
    }
}

private func hint(of error: any Error) -> String? {
    (error as? PlatformError)?.hint ?? (error as? SQLiteError)?.hint
}

/// The fault of bytes that are not what was written.
func corrupted(_ message: String) -> ObjectStoreError {
    ObjectStoreError(
        code: .corrupted, message: message,
        hint: "run `lakehouse doctor`; restore the object from a backup or write it again")
}
