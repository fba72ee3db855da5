/** Memory and CPU time of a process and all that it started, as the kernel counts them. */
import { readFileSync, readdirSync } from 'node:fs';

export interface TreeFigures {
  /** Without tcpdump, whose ring is the kernel's. */
  readonly rssMib: number;
  readonly tcpdumpRssMib: number;
  readonly cpuSeconds: number;
  readonly tcpdumpCpuSeconds: number;
  /** MiB of each process, by name; sums where several have one name. */
  readonly rssMibByName: Readonly<Record<string, number>>;
}

interface ProcessFigures {
  readonly pid: number;
  readonly parent: number;
  readonly name: string;
  readonly command: string;
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
  const commands = new Map(all.map(({ pid, command }) => [pid, command]));
  // A fork that has not become its program yet only shares its parent's pages.
  const members = all.filter(
    ({ pid, parent, command }) => tree.has(pid) && (pid === root || command !== commands.get(parent)),
  );
  const sum = (key: 'rssMib' | 'cpuSeconds', isTcpdump: boolean): number =>
    members.reduce((total, member) => total + ((member.name === 'tcpdump') === isTcpdump ? member[key] : 0), 0);
  const byName: Record<string, number> = {};
  for (const { name, rssMib } of members) byName[name] = Math.round((byName[name] ?? 0) + rssMib);
  return {
    rssMibByName: byName,
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
        command: readFileSync(`/proc/${pid}/cmdline`, 'utf8'),
        name: /Name:\s+(.*)/.exec(status)?.[1] ?? '',
        rssMib: Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024,
        cpuSeconds: (userTicks + systemTicks) / ticksPerSecond,
      },
    ];
  } catch {
    return []; // it ended while we looked
  }
}

/** The highest of what was seen every 200 ms; CPU time is the latest. */
export class TreePeak implements Disposable {
  #figures: TreeFigures = { rssMib: 0, tcpdumpRssMib: 0, cpuSeconds: 0, tcpdumpCpuSeconds: 0, rssMibByName: {} };
  readonly #timer: NodeJS.Timeout;

  constructor(pid: number) {
    this.#timer = setInterval(() => this.#look(pid), 200);
  }

  get figures(): TreeFigures {
    return this.#figures;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #look(pid: number): void {
    const now = treeFigures(pid);
    const before = this.#figures;
    this.#figures = {
      rssMib: Math.max(before.rssMib, now.rssMib),
      tcpdumpRssMib: Math.max(before.tcpdumpRssMib, now.tcpdumpRssMib),
      rssMibByName: now.rssMib > before.rssMib ? now.rssMibByName : before.rssMibByName,
      cpuSeconds: Math.max(before.cpuSeconds, now.cpuSeconds), // nothing once it has ended
      tcpdumpCpuSeconds: Math.max(before.tcpdumpCpuSeconds, now.tcpdumpCpuSeconds),
    };
  }
}
