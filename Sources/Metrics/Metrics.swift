// Metrics: numbers that have one definition, and questions in plain words about them.
//
//     metrics.yml ─▶ MetricFile ─▶ MetricModel: certified tables, joins many to one, dimensions, metrics
//                                       │
//     "Which regions saw a              ▼
//      fraud rate above 5 % ──▶ Tokenizer ─▶ Spelling ─▶ ItemReader ─▶ Interpreter ─▶ Assembly
//      last week?"                words      (shown)     longest       every item      on top of the
//                                                        match         has a use       frame before
//                                                                                         │
//                                                  FrameCheck ◀── Frame (typed, as JSON) ◀┘
//                                                      │             ▲
//                                                      ▼             └── a client, or an endpoint
//                                     FrameSQL ─▶ MetricWarehouse (as the asker) ─▶ AskAnswer
//
// No model guesses here. The grammar is a list of phrases (`Lexicon`), a reader of times
// (`TimePhrases`) and the words of the model; the longest match wins, and a question is answered only
// when every word has its use. The stop list is in `Lexicon` and is all that is ever passed over, and
// where a name may stand (behind a preposition, in capitals) not even that. What was taken for granted
// is a note. A misspelt word is corrected by Damerau's distance and the correction is shown. Words that mean two
// things give two readings, which are offered and not chosen between. What is left is a `Refusal` with
// a stable code, the words to blame, and what could be asked instead.
//
// A `Frame` is all that SQL is made of, whoever made it: the grammar, a client that sends one back, or
// the optional endpoint (`FrameFiller`), which sees names and never data. Ratios are sums over sums;
// conditions on metrics are HAVING; a comparison of periods, or metrics of several tables, are SELECTs
// put together by UNION ALL, so that nothing is joined that could multiply rows. Joins lead from many to
// one, must cover the declared key, and the key is counted once a snapshot before a join is used.
//
// An answer says what it may be mistaken for (`Assembly.warnings`, `Coverage`): a week that its period cuts,
// a period that the data does not cover. Where the model gives a metric `minimum_rows`, groups on fewer rows
// are neither compared with a number nor ranked, and are named with their rows (`ThinGroups`).
//
// Periods are half open, in the model's zone or the one that was asked for (which goes with the frame),
// relative to a given clock; weeks are ISO weeks. The words
// for values are the distinct values that the asker may see (`ValueIndex`), kept by snapshot and policy.
// Everything runs as the asker; tables are read at the snapshot that the answer names.
