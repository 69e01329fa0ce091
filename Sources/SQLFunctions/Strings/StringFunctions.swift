/// Functions over text.
enum StringFunctions {
    static let all: [ScalarFunction] =
        [
            .substr, .substrLength, .splitPart, .strpos, .strposInstance, .startsWith, .endsWith,
            .length, .lengthBytes, .lower, .upper, .reverse, .reverseBytes, .chr, .codepoint,
            .translate, .concat, .concatBytes, .concatWith, .concatWithArray, .replaceAll,
            .removeAll,
        ] + ScalarFunction.trims + ScalarFunction.pads + ScalarFunction.splitting
        + ScalarFunction.likeness + ScalarFunction.formattings + ScalarFunction.normalizing
        + ScalarFunction.measures + ScalarFunction.words
}
