#pragma once
#include <sqlite3.h>
// SQLITE_TRANSIENT is a macro with a cast, which Swift does not import.
static inline sqlite3_destructor_type lakehouse_sqlite_transient(void) { return SQLITE_TRANSIENT; }
