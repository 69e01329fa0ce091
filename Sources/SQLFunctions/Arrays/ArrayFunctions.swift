/// Functions over arrays.
enum ArrayFunctions {
    static let all: [ScalarFunction] =
        ScalarFunction.arrayAccess + ScalarFunction.arrayMaking + ScalarFunction.sequences
        + ScalarFunction.higherOrder + ScalarFunction.distances + ScalarFunction.arrayContents
}
