import Foundation
import Testing

@testable import Models

struct StableMathTests {
    @Test(arguments: [1e-300, 1e-9, 0.3, 0.5, 0.999_999, 1, 1.414_2, 2, 255, 1e17, 1.7e308])
    func `logarithms are near those of the C library`(value: Double) {
        let expected = log(value)
        #expect(abs(StableMath.ln(value) - expected) <= 4 * max(expected.ulp, 1e-16))
    }

    @Test(arguments: [-745.2, -700, -30.5, -1, -1e-9, 0, 1e-9, 0.5, 1, 20.25, 300, 709.7])
    func `powers are near those of the C library`(value: Double) {
        let expected = exp(value)
        #expect(abs(StableMath.exp(value) - expected) <= 4 * expected.ulp)
        let two = exp2(value / 2)
        #expect(abs(StableMath.exp2(value / 2) - two) <= 4 * two.ulp)
    }

    @Test func `powers beyond the range are zero and infinity`() {
        #expect(StableMath.exp(-1000) == 0)
        #expect(StableMath.exp(1000) == .infinity)
        #expect(StableMath.logistic(1000) == 1)
        #expect(StableMath.logistic(-1000) == 0)
    }

    /// The bits themselves: another machine, compiler or library must not change them.
    @Test func `bits are the same everywhere`() {
        #expect(StableMath.ln(255).bitPattern == 0x4016_2a40_fda3_e3cc)
        #expect(StableMath.exp(-0.7).bitPattern == 0x3fdf_c80d_b9dd_5542)
        #expect(StableMath.exp2(-0.61).bitPattern == 0x3fe4_f75f_12e7_73e1)
        var numbers = SeededNumbers(seed: 42, stream: 7)
        #expect(
            [numbers.next(), numbers.next()] == [0x158b_bda1_1f09_b7af, 0x3697_9877_b4a9_2c02])
    }
}
