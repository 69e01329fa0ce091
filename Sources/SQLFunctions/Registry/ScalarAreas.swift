/// The areas of scalar functions, one list a folder; the registry holds them all.
///
/// To add an area, put its `all` here. A name may stand in several areas: overloads are resolved by
/// argument types.
enum ScalarAreas {
    static let lists: [[ScalarFunction]] = [
        InternalFunctions.all, StringFunctions.all, NumberFunctions.all, TimeFunctions.all,
        ConditionalFunctions.all, SessionFunctions.all, RegexFunctions.all, BinaryFunctions.all,
        ScalarFunction.byteOrders,
        URLFunctions.all, JSONFunctions.all, ArrayFunctions.all,
        MapFunctions.all, AIFunctions.all, SketchFunctions.all,
        ShapeFunctions.all,
    ]
}
