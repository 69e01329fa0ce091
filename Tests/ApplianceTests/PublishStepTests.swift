import Quality
import TableCatalog
import Testing

@testable import Appliance

struct PublishStepTests {
    /// Merges that find main moved the first `moves` times.
    private func publish(
        moves: Int, isUnchecked: Bool = false, redAt: Int? = nil
    ) throws -> [String] {
        var (done, left, checks): ([String], Int, Int) = ([], moves, 0)
        struct Red: Error {}
        do {
            _ = try PublishStep.publish(
                "run_1", isUnchecked: isUnchecked,
                check: {
                    done.append("check")
                    checks += 1
                    if checks == redAt { throw Red() }
                },
                merge: {
                    if left == 0 {
                        done.append("merged")
                        return .merged([])
                    }
                    left -= 1
                    return .behind(["silver.s.t"])
                },
                catchUp: { done.append("takes in \($0.joined())") })
        } catch is Red { done.append("red") }
        return done
    }

    @Test func `what was checked is merged, and what main has moved is checked before`() throws {
        #expect(try publish(moves: 0) == ["merged"])
        #expect(try publish(moves: 0, isUnchecked: true) == ["check", "merged"])
        #expect(
            try publish(moves: 2) == [
                "takes in silver.s.t", "check", "takes in silver.s.t", "check", "merged",
            ])
        #expect(try publish(moves: PublishStep.rounds).last == "merged")
    }

    @Test func `a red state is not merged`() throws {
        #expect(try publish(moves: 1, redAt: 1) == ["takes in silver.s.t", "check", "red"])
        #expect(try publish(moves: 0, isUnchecked: true, redAt: 1) == ["check", "red"])
    }

    @Test func `main that moves again and again ends in an error of its own`() {
        let error = #expect(throws: QualityError.self) {
            _ = try publish(moves: PublishStep.rounds + 1)
        }
        #expect(error?.code == .mainMoved)
        #expect(error?.message.hasPrefix("main moved too often") == true)
    }
}
