// Walkthrough: runs `demos/`: steps, claims, receipt, sabotage.
//
//     demo.yml (titles, reasons, claims) ─▶ Show ─▶ steps, one after the other ─▶ Receipt
//                                            │ public doors only: SQL, REST, S3, the console's pages
//                                            ▼
//                                     ApplianceServer in this process, on its own data directory
//
// A step prints one sentence of why, the command or SQL that a person could type, the result and the
// time. A claim has a stable id; it holds, or it stops the show with its evidence. `--sabotage CLAIM`
// breaks what the claim guards just before it is checked, so that a claim that cannot fail is found.
// The exit code is 0 only if every claim holds. Same seed, same as-of day: same numbers everywhere.
//
// `Banking/` tells `banking-fraud` on the bank of `DemoBank`. Source: `reference/demo-banking-fraud.md`. `Sales/` drops the CSV files of `sales`,
// changes them one thing at a time, and runs the same pipeline again.
