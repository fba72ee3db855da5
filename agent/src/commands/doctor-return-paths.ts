/**
 * What `doctor` says of forged addresses. Who is outside and gets a packet in the name of a device of the LAN through the
 * gateway can have that device accused; the kernel refuses such packets where it checks return paths strictly.
 */
import { readFileSync } from 'node:fs';
import type { Finding } from './doctor-kernel.ts';

const strict = 1;

/** `routes` is /proc/net/route; `filterOf` the `rp_filter` of an interface or of `all`. Empty without a default route. */
export function checkReturnPaths(routes: string, filterOf: (name: string) => number | undefined): readonly Finding[] {
  const check = 'forged addresses';
  const legs = new Set(
    routes
      .split('\n')
      .slice(1)
      .map((line) => line.split('\t'))
      .filter(([, destination, , , , , , mask]) => destination === '00000000' && mask === '00000000')
      .map(([name = '']) => name),
  );
  if (legs.size === 0) return [];
  // the kernel takes the stricter number of the two, and 2, the loose check, lets addresses of the LAN pass
  const open = [...legs].filter((name) => Math.max(filterOf('all') ?? 0, filterOf(name) ?? 0) !== strict);
  return [
    open.length === 0
      ? { check, state: 'ok', detail: `${[...legs].join(', ')}: return paths are checked` }
      : {
          check,
          state: 'warning',
          detail: `who is beyond ${open.join(', ')} can forge the address of a device and have it accused: sysctl -w net.ipv4.conf.all.rp_filter=1 ${open.map((name) => `net.ipv4.conf.${name}.rp_filter=1`).join(' ')} (not where answers take another way than questions)`,
        },
  ];
}

/** Of this machine; empty where it forwards nothing, or where it cannot be told. */
export function examineReturnPaths(): readonly Finding[] {
  try {
    if (readFileSync('/proc/sys/net/ipv4/ip_forward', 'utf8').trim() !== '1') return [];
    return checkReturnPaths(readFileSync('/proc/net/route', 'utf8'), readFilter);
  } catch {
    return [];
  }
}

function readFilter(name: string): number | undefined {
  try {
    return Number(readFileSync(`/proc/sys/net/ipv4/conf/${name}/rp_filter`, 'utf8'));
  } catch {
    return undefined;
  }
}
