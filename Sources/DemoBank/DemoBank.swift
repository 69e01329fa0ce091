// DemoBank: the bank of `lakehouse demo banking-fraud`, in integers, and the database that it runs on.
//
//     BankDice ─▶ BankGenerator ─▶ Bank ─▶ BankSource ─▶ SQLiteBank | PostgresBank
//                 (people, sixty days of bookings, planted fraud)   later changes: live, late, corrected
//
// The same seed, as-of day and size give the same bytes on every machine. It stands apart from the walkthrough
// since it is the walkthrough's only heavy work: a million bookings are made and written in seconds.
// Source: `reference/demo-banking-fraud.md`, the data.
