/// The digits by which Java tells a double or real from all others: the shortest text, but two digits
/// where one would do and two come nearer. So it is with the smallest of numbers: `4.9E-324`, `1.4E-45`.
///
/// The text is Swift's, with a small `e`. Source: Java SE 19, `Double.toString`.
package func javaDigits(_ value: Double, isReal: Bool) -> String {
    let shortest = isReal ? Float(value).description : value.description
    // Only of numbers with few bits do several of two digits read as the same.
    let few = isReal ? 100 * Double(Float.leastNonzeroMagnitude) : 100 * .leastNonzeroMagnitude
    guard value != 0, value.magnitude < few,
        let mark = shortest.firstIndex(of: "e"), var exponent = Int(shortest[mark...].dropFirst()),
        shortest[..<mark].drop(while: { $0 == "-" }).count == 1
    else { return shortest }
    var scaled = value.magnitude
    // In steps, since the whole power is beyond the greatest double.
    var left = 1 - exponent
    while left > 0 {
        let step = min(left, 300)
        var power = 1.0
        for _ in 0..<step { power *= 10 }
        scaled *= power
        left -= step
    }
    if scaled < 9.95 {
        // One digit was rounded up into the next power.
        scaled *= 10
        exponent -= 1
    }
    let digits = Int(scaled.rounded())
    guard (10...99).contains(digits), digits % 10 != 0 else { return shortest }
    let text = "\(value < 0 ? "-" : "")\(digits / 10).\(digits % 10)e\(exponent)"
    let isSame = isReal ? Float(text) == Float(value) : Double(text) == value
    return isSame ? text : shortest
}
