// TestSupport: what tests of several targets share.
//
// Clocks and randomness that repeat are `SettableClock` and `SeededEntropy` of Platform; here is
// `SeededGenerator` for Swift's own shuffles and draws. A failing property test prints its seed, and the
// seed becomes a case.
