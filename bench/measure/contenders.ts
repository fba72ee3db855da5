/** Who is measured against whom by the meter benchmark, and in turns, so that a busy minute slows all of them alike. */
import { fileURLToPath } from 'node:url';
import type { MeterPass } from './meter-pass.ts';
import { type NetflowSink, peerCommand, type PeerName, peerNames } from './peers.ts';
import { isInstalled, timeProcess } from './pinned-process.ts';

const node = [process.execPath, '--conditions=@picket/source'];
const agent = fileURLToPath(new URL('../../agent/src/main.ts', import.meta.url));
const child = fileURLToPath(new URL('meter-child.ts', import.meta.url));
/**
 * Functions are compiled anew, with more built into them, until the second pass is over: by pass 1.1, 1.9, 2.4, 2.4, 2.5 …
 * million packets per CPU second (2026-11-22). What a process that runs for days costs begins with the third.
 */
const settlingPasses = 2;
const passesEach = settlingPasses + 6;

/** What is asked of the meter. */
export const variants = {
  no_output: { endings: 'reference', format: 'none' },
  csv: { endings: 'reference', format: 'csv' },
  live_endings: { endings: 'live', format: 'none' },
} as const;
export type VariantName = keyof typeof variants;
export const variantNames = Object.keys(variants) as VariantName[];

export interface Measured {
  /** CPU seconds of `picket-agent flows` on a capture without packets. */
  readonly startUp: number[];
  /** CPU seconds of `picket-agent flows`, from its start to its end. */
  readonly whole: Record<VariantName, number[]>;
  /** CPU seconds of each pass in processes that meter the capture again and again: a row per process. */
  readonly passes: Record<VariantName, number[][]>;
  /** Counters of the last pass. */
  readonly counters: Record<VariantName, MeterPass | undefined>;
  /** CPU seconds, or why there are none. */
  readonly peers: Record<PeerName, number[] | string>;
}

export interface Setting {
  readonly pcap: string;
  readonly emptyPcap: string;
  readonly folder: string;
  readonly cpu: number | undefined;
  readonly runs: number;
  readonly sink: NetflowSink;
}

/** Each contender once per run, in turn. */
export async function measureAll(setting: Setting): Promise<Measured> {
  const each = <Value>(value: () => Value) =>
    Object.fromEntries(variantNames.map((name) => [name, value()])) as Record<VariantName, Value>;
  const measured: Measured = {
    startUp: [],
    whole: each(() => []),
    passes: each(() => []),
    counters: each(() => undefined),
    peers: Object.fromEntries(
      peerNames.map((name) => [name, isInstalled(name) ? [] : 'not installed']),
    ) as Measured['peers'],
  };
  for (let run = 0; run < setting.runs; run++) {
    process.stderr.write(`run ${run + 1} of ${setting.runs}\n`);
    for (const peer of peerNames) await measurePeer(peer, setting, measured);
    measured.startUp.push(await cpuOf([...node, agent, 'flows', '--format', 'none', setting.emptyPcap], setting));
    for (const name of variantNames) {
      const { endings, format } = variants[name];
      const flows = [...node, agent, 'flows', '--endings', endings, '--format', format, setting.pcap];
      measured.whole[name].push(await cpuOf(flows, setting));
      await measurePasses(name, setting, measured);
    }
  }
  return measured;
}

async function measurePeer(peer: PeerName, setting: Setting, measured: Measured): Promise<void> {
  const sofar = measured.peers[peer];
  if (typeof sofar === 'string') return;
  try {
    sofar.push(await cpuOf(peerCommand(peer, setting.pcap, setting.sink, setting.folder), setting));
  } catch (error) {
    measured.peers[peer] = (error as Error).message;
  }
}

async function measurePasses(name: VariantName, setting: Setting, measured: Measured): Promise<void> {
  const { endings, format } = variants[name];
  const command = [...node, child, setting.pcap, endings, format, String(passesEach)];
  const { stdout } = await timeProcess(command, setting.cpu, { keepOutput: true });
  const passes = JSON.parse(stdout) as MeterPass[];
  measured.passes[name].push(passes.map(({ cpuSeconds }) => cpuSeconds));
  measured.counters[name] = passes.at(-1);
}

/** CPU seconds of every pass that nothing is compiled in any more. */
export function settledPasses(processes: readonly (readonly number[])[]): number[] {
  return processes.flatMap((passes) => passes.slice(settlingPasses));
}

async function cpuOf(command: readonly string[], { cpu }: Setting): Promise<number> {
  return (await timeProcess(command, cpu)).cpuSeconds;
}
