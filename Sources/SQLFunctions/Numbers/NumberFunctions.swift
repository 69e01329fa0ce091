/// Functions over numbers.
enum NumberFunctions {
    static let all: [ScalarFunction] =
        ScalarFunction.reals + ScalarFunction.roundings + ScalarFunction.wholes
        + ScalarFunction.bits + ScalarFunction.randoms + ScalarFunction.statistics
}
