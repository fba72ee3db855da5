/**
 * Which rights this process has, and how programs are started with fewer. `setpriv` does it: Node cannot give a right
 * away by itself.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

/** Numbers of linux/capability.h. */
const numbers = { kill: 5, setgid: 6, setuid: 7, setpcap: 8, net_admin: 12, net_raw: 13 } as const;
type Capability = keyof typeof numbers;

/** What the process needs that starts nft, conntrack and tcpdump, and ends them. */
const needed: readonly Capability[] = ['net_admin', 'net_raw', 'kill', 'setuid', 'setgid', 'setpcap'];

export type Separation =
  | {
      readonly isPossible: true;
      readonly setpriv: string;
      readonly narrow: readonly string[];
      readonly none: readonly string[];
    }
  | { readonly isPossible: false; readonly reason: string };

export function holds(capability: Capability): boolean {
  return isSet('CapEff', capability);
}

/** Tries it, with a program that does nothing. */
export function planSeparation(): Separation {
  const no = (reason: string): Separation => ({ isPossible: false, reason });
  if (!holds('net_admin')) return no('this process has no CAP_NET_ADMIN that could be kept apart');
  const setpriv = ['/usr/bin/setpriv', '/bin/setpriv'].find((path) => existsSync(path));
  if (setpriv === undefined) return no('setpriv is not installed: apt install util-linux');
  const kept = needed.filter((capability) => holds(capability));
  const isRoot = process.getuid?.() === 0;
  const list = (prefix: string): string => ['-all', ...kept.map((name) => `${prefix}${name}`)].join(',');
  const mayBound = holds('setpcap');
  const narrow = [
    ...(mayBound ? ['--bounding-set', list('+')] : []),
    ...(isRoot ? ['--inh-caps', '-all'] : ['--inh-caps', list('+'), '--ambient-caps', list('+')]),
  ];
  // root gets back on exec whatever the bounding set leaves
  if (isRoot && !mayBound)
    return no('root without CAP_SETPCAP cannot give rights away: add SETPCAP, or use another user');
  const bound = mayBound ? ['--bounding-set', '-all'] : [];
  const none = [...bound, '--inh-caps', '-all', '--ambient-caps', '-all', '--no-new-privs'];
  const tried = spawnSync(setpriv, [...none, '--', '/bin/cat', '/proc/self/status'], { encoding: 'utf8' });
  if (tried.status !== 0 || !/^CapPrm:\t0+$/m.test(tried.stdout)) {
    return no(`setpriv cannot take rights away here: ${tried.stderr.trim().slice(0, 200)}`);
  }
  const narrowed = spawnSync(setpriv, [...narrow, '--', '/bin/true'], { encoding: 'utf8' });
  if (narrowed.status !== 0)
    return no(`setpriv cannot keep the rights that are needed: ${narrowed.stderr.trim().slice(0, 200)}`);
  return { isPossible: true, setpriv, narrow, none: ['--pdeathsig', 'KILL', ...none] };
}

function isSet(field: string, capability: Capability): boolean {
  const found = new RegExp(`^${field}:\\s*([0-9a-f]+)`, 'm').exec(readStatus());
  return found !== null && ((BigInt(`0x${found[1]}`) >> BigInt(numbers[capability])) & 1n) === 1n;
}

function readStatus(): string {
  try {
    return readFileSync('/proc/self/status', 'utf8');
  } catch {
    return '';
  }
}
