/** Tells an event that the database cannot take from a database that cannot take anything at the moment. */

/** Classes 22 and 23 of SQLSTATE, and what SQLite says of a value that does not fit. */
const dataError = /^(?:22...|23...|SQLITE_CONSTRAINT.*|SQLITE_MISMATCH|SQLITE_TOOBIG)$/;

/** True where the same statement would fail again, whenever it is tried. */
export function isDataError(error: unknown): error is Error {
  const code = (error as { code?: unknown } | null)?.code;
  return error instanceof Error && typeof code === 'string' && dataError.test(code);
}
