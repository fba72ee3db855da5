/** Which address a door listens on where nobody chose one. */

/** `chosen` stands as it is; else every address where the controller has a public name, and loopback where it has none. */
export function listenHost(chosen: string | undefined, publicHosts: readonly string[]): string {
  return chosen ?? (publicHosts.length > 0 ? '0.0.0.0' : '127.0.0.1');
}
