/** Who is measured against whom by the meter benchmark, and in turns, so that a busy minute slows all of them alike. */
import { fileURLToPath } from 'node:url';
import type { MeterPass } from './meter-pass.ts';
import { type NetflowSink, peerCommand, type PeerName, peerNames } from './peers.ts';
import { isInstalled, timeProcess } from './pinned-process.ts';

const node = [process.execPath, '--conditions=@picket/source'];
const agent = fileURLToPath(new URL('../../agent/src/main.ts', import.meta.url));
const child = fileURLToPath(new URL('meter-child.ts', import.meta.url));
const passesEach = 3;

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
  /** CPU seconds of every pass but the first in a process that meters the capture again and again. */
  readonly warm: Record<VariantName, number[]>;
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
    warm: each(() => []),
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
      await measureWarm(name, setting, measured);
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

async function measureWarm(name: VariantName, setting: Setting, measured: Measured): Promise<void> {
  const { endings, format } = variants[name];
  const command = [...node, child, setting.pcap, endings, format, String(passesEach)];
  const { stdout } = await timeProcess(command, setting.cpu, { keepOutput: true });
  const [, ...passes] = JSON.parse(stdout) as MeterPass[];
  measured.warm[name].push(...passes.map(({ cpuSeconds }) => cpuSeconds));
  measured.counters[name] = passes.at(-1);
}

async function cpuOf(command: readonly string[], { cpu }: Setting): Promise<number> {
  return (await timeProcess(command, cpu)).cpuSeconds;
}
