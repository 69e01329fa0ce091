import HTTPMessages
import Platform

/// A request's body between the loop that receives it and the handler that reads it.
final class ServerBody: RequestBody {
    private struct State {
        var pieces = FIFO<[UInt8]>()
        var bufferedBytes = 0
        var hasEnded = false
        var failure: HTTPBodyError?
        /// The loop was asked for more and has not stopped since.
        var isWanted = false
        /// Nobody will read any more.
        var isAbandoned = false
    }

    private enum Step {
        case piece([UInt8])
        case end
        case failed(HTTPBodyError)
    }

    let declaredLength: Int64?
    private let state = Monitor(State())
    private let limitBytes: Int
    private let pool: HandlerPool
    private let want: @Sendable () -> Void

    /// `want` tells the loop to read on.
    init(
        declaredLength: Int64?, limitBytes: Int, pool: HandlerPool,
        want: @escaping @Sendable () -> Void
    ) {
        self.declaredLength = declaredLength
        self.limitBytes = limitBytes
        self.pool = pool
        self.want = want
    }

    // MARK: The handler's side

    func next() throws(HTTPBodyError) -> [UInt8]? {
        let (ready, asks) = state.withLock { state in
            let step = Self.take(&state)
            // Asked early, so that the next bytes come while these are worked on.
            let asks =
                !state.isWanted && !state.hasEnded && state.failure == nil
                && state.bufferedBytes < limitBytes / 2
            if asks { state.isWanted = true }
            return (step, asks)
        }
        if asks { want() }
        let step: Step
        if let ready {
            step = ready
        } else {
            pool.park()
            step = state.wait { Self.take(&$0) }
            pool.unpark()
        }
        switch step {
        case .piece(let bytes): return bytes
        case .end: return nil
        case .failed(let error): throw error
        }
    }

    private static func take(_ state: inout State) -> Step? {
        if let piece = state.pieces.popFirst() {
            state.bufferedBytes -= piece.count
            return .piece(piece)
        }
        if let failure = state.failure { return .failed(failure) }
        return state.hasEnded ? .end : nil
    }

    // MARK: The loop's side

    /// Takes bytes over; false when the loop is to stop until it is asked again.
    func append(_ bytes: UnsafeRawBufferPointer) -> Bool {
        state.notify { state in
            if state.isAbandoned { return true }
            state.pieces.append(Array(bytes))
            state.bufferedBytes += bytes.count
            guard state.bufferedBytes >= limitBytes else { return true }
            state.isWanted = false
            return false
        }
    }

    func finish() { state.notify { $0.hasEnded = true } }

    /// The rest will not come.
    func fail(_ error: HTTPBodyError) {
        state.notify { state in
            if !state.hasEnded, state.failure == nil { state.failure = error }
        }
    }

    /// The handler has answered; what still comes is thrown away.
    func abandon() {
        state.notify { state in
            state.isAbandoned = true
            state.pieces = FIFO()
            state.bufferedBytes = 0
        }
    }
}
