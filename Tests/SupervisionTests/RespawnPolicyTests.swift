import Supervision
import Testing

@Suite struct RespawnPolicyTests {
    @Test func aCrashStartsAtOnceAndCrashesInARowWaitLonger() {
        var policy = RespawnPolicy()
        var pauses: [Int] = []
        for _ in 0..<10 {
            guard
                case .again(let pause) = policy.ended(code: 137, after: .seconds(1), isAsked: false)
            else { break }
            pauses.append(Int(pause.components.seconds))
        }
        #expect(pauses == [0, 1, 2, 4, 8, 16, 32, 60, 60, 60])
        #expect(policy.restarts == 10)
        // After a good life the count begins anew.
        let good = policy.ended(code: 133, after: .seconds(61), isAsked: false)
        #expect(good == .again(after: .zero))
        #expect(policy.ended(code: 1, after: .zero, isAsked: false) == .again(after: .seconds(1)))
    }

    @Test(arguments: [
        (Int32(0), 5, false, true), (1, 5, false, true), (2, 0, false, true), (0, 500, false, true),
        (137, 0, true, true), (1, 500, false, false), (139, 0, false, false),
    ])
    func whatEndsIt(_ code: Int32, _ seconds: Int, _ isAsked: Bool, _ ends: Bool) {
        var policy = RespawnPolicy()
        let action = policy.ended(code: code, after: .seconds(seconds), isAsked: isAsked)
        #expect(action == (ends ? .end(code: code) : .again(after: .zero)))
    }

    @Test func endsAreToldInWords() {
        #expect(RespawnPolicy.words(137) == "signal 9 (killed)")
        #expect(RespawnPolicy.words(3) == "exit code 3")
        #expect(RespawnPolicy.words(128 + 62) == "signal 62")
    }
}
