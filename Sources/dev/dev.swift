// dev: the tool of those who work on lakehouse. `swift run dev` lists its commands.
//
//     dev fuzz sql --seed 7 --iterations 100000      one parser of foreign bytes, or `all`
//     dev fuzz sql --seed 7 --from 812 --iterations 1    the same input again
//     dev fuzz sql --input FILE                      one input from a file
//     dev libfuzzer sql -max_total_time=60           coverage-guided, in a build with LIBFUZZER
//
// A `FuzzTarget` names a parser, gives it seeds, words and a shape, and says what must hold of it beside
// "no trap, no hang, bounded memory". An input is a function of target, seed and iteration alone, so that
// a failure is told by three words and the corpus is code and fixtures.
//
//     FuzzDriver ──spawns──▶ FuzzBatch (a process: limits of CPU time and memory, 4 MiB of stack)
//         ▲                      │ notes the iteration in a file before it begins it
//         └── signal, code ◀─────┘
//         └─▶ InputReducer ─▶ the input's file, the words to repeat it
//
// What was found and fixed stays in `Tests/Fuzz/TARGET/NAME`; `FuzzTests` runs every such file.
