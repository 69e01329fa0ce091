/// Functions over dates, times and intervals.
enum TimeFunctions {
    static let all: [ScalarFunction] =
        ScalarFunction.fields + ScalarFunction.intervals + ScalarFunction.units
        + ScalarFunction.now + ScalarFunction.timeTexts + ScalarFunction.zones
        + ScalarFunction.teradataTimes
}
