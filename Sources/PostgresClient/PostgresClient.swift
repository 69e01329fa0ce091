// PostgresClient: a thin, safe face of libpq, the PostgreSQL client library.
//
//     Library.shared (dlopen, once) ─▶ PostgresConnection ─▶ query: one row after the other, as texts
//
// libpq is loaded when the first connection is made, not linked: an appliance without PostgreSQL sources
// does not need it, and Debian's static archive wants Kerberos and LDAP along. A connection belongs to one
// thread; only `cancel` may come from another. Rows come in single-row mode, so that a large answer never
// lies in memory as a whole.
//
// Follows: PostgreSQL 15 documentation, chapter 34, "libpq".
