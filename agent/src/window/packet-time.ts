/** Packet time is µs since 1970 as a number; on the wire it is an instant. */

const latestMs = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/** RFC 3339 in UTC, to the millisecond. A time that a hostile capture made up is moved into the years 1970 to 9999. */
export function instantOf(timeUs: number): string {
  const timeMs = Number.isNaN(timeUs) ? 0 : Math.min(Math.max(timeUs / 1000, 0), latestMs);
  return new Date(timeMs).toISOString();
}
