/// Functions over maps.
enum MapFunctions {
    static let all: [ScalarFunction] =
        ScalarFunction.mapAccess + ScalarFunction.mapMaking + [.mapZipping]
}
