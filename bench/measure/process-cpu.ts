/** CPU time of programs that this process has run and that have ended, which Node does not tell. */
import { readFileSync } from 'node:fs';

/** The kernel counts in ticks of 10 ms. */
const tickMs = 10;

/** Of the programs that the process `pid` has run; default: this one. */
export function cpuOfChildrenMs(pid: number | 'self' = 'self'): number {
  return ticksOf(pid, 13) * tickMs;
}

/** Of the process `pid` itself. */
export function cpuOfProcessMs(pid: number): number {
  return ticksOf(pid, 11) * tickMs;
}

/** Of user and system, which stand side by side. */
function ticksOf(pid: number | 'self', first: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // after the name, which may hold anything: state is field 3, utime 14, cutime 16
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return Number(fields[first]) + Number(fields[first + 1]);
}
