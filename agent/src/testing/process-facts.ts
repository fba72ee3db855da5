/** What the kernel says of a running process: its rights, its children, and since when its number is its own. */
import { readFileSync } from 'node:fs';

/** A set of rights with nothing in it, as `/proc` writes it. */
export const none = '0000000000000000';
const numbers = { kill: 5, setgid: 6, setuid: 7, setpcap: 8, net_admin: 12, net_raw: 13 } as const;

/** A set of these rights. */
export function rights(...names: readonly (keyof typeof numbers)[]): bigint {
  return names.reduce((sum, name) => sum | (1n << BigInt(numbers[name])), 0n);
}

/** The lines of `/proc/<pid>/status` by name. */
export function statusOf(pid: number): Record<string, string> {
  const lines = readFileSync(`/proc/${pid}/status`, 'utf8').split('\n');
  return Object.fromEntries(lines.map((line) => line.split(':\t')));
}

/** Of the tcpdump that it runs, once it is no more what starts it. */
export function captureRights(pid: number): bigint | undefined {
  const tcpdump = childrenOf(pid).find((child) => /^tcpdump$/m.test(textOf(child, 'comm')));
  const [, rights] = /^CapPrm:\s*(\w+)/m.exec(tcpdump === undefined ? '' : textOf(tcpdump, 'status')) ?? [];
  return rights === undefined ? undefined : BigInt(`0x${rights}`);
}

/** Those of this program, or all. */
export function childrenOf(pid: number, program?: string): readonly number[] {
  const pids = textOf(pid, `task/${pid}/children`).trim().split(' ').filter(Boolean).map(Number);
  return pids.filter((child) => program === undefined || commandLine(child).includes(program));
}

function commandLine(pid: number): string {
  return textOf(pid, 'cmdline').replaceAll('\0', ' ');
}

/** Ticks of the clock at which it began, which no other process of its number has; empty where there is none. */
export function startOf(pid: number): string {
  return textOf(pid, 'stat').split(') ').at(-1)?.split(' ')[19] ?? '';
}

/** Empty where the process has ended since it was listed: `nft` is a child for milliseconds. */
function textOf(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT' && code !== 'ESRCH') throw error;
    return '';
  }
}
