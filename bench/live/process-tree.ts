/** Memory and CPU time of a process and all that it started, as the kernel counts them. */
import { readFileSync, readdirSync } from 'node:fs';

export interface TreeFigures {
  /** Without tcpdump, whose ring is the kernel's. */
  readonly rssMib: number;
  readonly tcpdumpRssMib: number;
  readonly cpuSeconds: number;
  readonly tcpdumpCpuSeconds: number;
}

interface ProcessFigures {
  readonly pid: number;
  readonly parent: number;
  readonly name: string;
  readonly rssMib: number;
  readonly cpuSeconds: number;
}

const ticksPerSecond = 100;

export function treeFigures(root: number): TreeFigures {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => figuresOf(Number(name)));
  const tree = new Set([root]);
  // A child has a higher number than its parent but for a wrap of the numbers, so one more pass than needed is made.
  for (let pass = 0; pass < 3; pass++) for (const { pid, parent } of all) if (tree.has(parent)) tree.add(pid);
  const members = all.filter(({ pid }) => tree.has(pid));
  const sum = (key: 'rssMib' | 'cpuSeconds', isTcpdump: boolean): number =>
    members.reduce((total, member) => total + ((member.name === 'tcpdump') === isTcpdump ? member[key] : 0), 0);
  return {
    rssMib: Math.round(sum('rssMib', false)),
    tcpdumpRssMib: Math.round(sum('rssMib', true)),
    cpuSeconds: sum('cpuSeconds', false),
    tcpdumpCpuSeconds: sum('cpuSeconds', true),
  };
}

function figuresOf(pid: number): ProcessFigures[] {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [userTicks = 0, systemTicks = 0] = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .slice(11, 13)
      .map(Number);
    return [
      {
        pid,
        parent: Number(/PPid:\s+(\d+)/.exec(status)?.[1] ?? 0),
        name: /Name:\s+(.*)/.exec(status)?.[1] ?? '',
        rssMib: Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024,
        cpuSeconds: (userTicks + systemTicks) / ticksPerSecond,
      },
    ];
  } catch {
    return []; // it ended while we looked
  }
}
