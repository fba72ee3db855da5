/** Bridges of this host: what they carry from port to port passes no chain of `inet`. */
import { existsSync, readdirSync } from 'node:fs';

const folder = '/sys/class/net';

/** Names of the interfaces that are bridges now. */
export function readBridges(): readonly string[] {
  try {
    return readdirSync(folder).filter((name) => existsSync(`${folder}/${name}/bridge`));
  } catch {
    return []; // no /sys: a container that cannot tell has no bridge of its own
  }
}
