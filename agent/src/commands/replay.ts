/** `picket-agent replay`: a capture through the whole pipeline with the shipped bundle, no controller and no kernel. */
import { Command } from 'commander';
import { pino } from 'pino';
import type { Alert } from '@picket/shared/contract/alert';
import { newId, type BootId } from '@picket/shared/contract/identifiers';
import { guardOf } from '../gateway-guard.ts';
import { parseAgentConfig } from '../config/agent-config.ts';
import { DecisionStore } from '../enforcement/decision-store.ts';
import { SimulatedFirewall } from '../enforcement/simulated-firewall.ts';
import { AgentError } from '../errors.ts';
import { keepHeapsSmall } from '../memory-plan.ts';
import { Watch, type WatchListener } from '../watch.ts';

/** The first lets what was read be judged and summed up; the second ends the process. */
const stopSignals = ['SIGINT', 'SIGTERM'] as const;

interface ReplayOptions {
  readonly speed: string;
  readonly json?: boolean;
  readonly bundle?: string;
}

export function replayCommand(): Command {
  return new Command('replay')
    .description('a capture through the whole pipeline; decisions are simulated')
    .argument('<file>', 'pcap or pcapng; - is standard input')
    .option('--speed <SPEED>', 'max, or a factor: 1 is as recorded', 'max')
    .option('--bundle <DIR>', 'another model bundle than the shipped one')
    .option('--json', 'one JSON object per line: predictions, alerts, decisions, and a summary at the end')
    .action(replay);
}

async function replay(file: string, options: ReplayOptions): Promise<void> {
  const started = performance.now();
  keepHeapsSmall();
  const config = parseAgentConfig(
    {
      capture: { source: 'pcap', files: [file], speed: parseSpeed(options.speed) },
      model: { bundle: options.bundle ?? null },
    },
    'replay',
  );
  const nothing = { ownAddresses: [], ownMacs: [], defaultRoutes: [], dnsServers: [], broadcastAddresses: [] };
  using store = DecisionStore.open({ path: ':memory:' });
  await using watch = await Watch.open({
    config,
    bootId: newId() as BootId,
    source: 'pcap',
    mode: 'simulate',
    rules: [],
    guard: await guardOf(config, undefined, nothing),
    broadcastAddresses: [],
    store,
    clock: 'packet',
    openFirewall: (_, now) => new SimulatedFirewall({ now }),
    listener: options.json === true ? jsonLines : forPeople,
    log: pino({ level: 'warn' }, pino.destination(2)),
  });
  const stop = (): void => watch.packets.stop();
  for (const name of stopSignals) process.once(name, stop);
  process.stdout.once('error', leaveQuietly);
  try {
    await watch.ended();
  } finally {
    for (const name of stopSignals) process.off(name, stop);
    const summary = summaryOf(watch, (performance.now() - started) / 1000);
    if (options.json === true) writeLine({ type: 'summary', ...summary });
    else console.error(describeSummary(summary));
  }
}

/** Whoever read the output has seen enough, as `head` has. */
function leaveQuietly(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
}

function parseSpeed(text: string): 'max' | number {
  const speed = Number(text);
  if (text === 'max') return text;
  if (!(speed > 0 && speed <= 10_000))
    throw new AgentError('usage', `--speed: "${text}" is neither max nor a factor from 0 to 10000`);
  return speed;
}

const jsonLines: WatchListener = {
  onFlow: () => undefined,
  onDevice: () => undefined,
  onPrediction: (prediction) => writeLine({ type: 'prediction', ...prediction }),
  onAlert: (alert) => writeLine({ type: 'alert', ...alert }),
  onDecision: (event) => writeLine({ type: 'decision', ...event }),
};

const forPeople: WatchListener = {
  ...jsonLines,
  onPrediction: () => undefined,
  onAlert: (alert) => {
    if (alert.revision === 0) console.log(describeAlert(alert));
  },
  onDecision: ({ decision, state, detail }) => {
    const why = state === 'refused' || state === 'failed' ? (detail ?? decision.reason) : decision.reason;
    console.log(`          ${state}: ${decision.action} ${decision.scope} ${decision.value} (${why})`);
  },
};

function writeLine(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

function describeAlert(alert: Alert): string {
  const seen = alert.explanation === null ? '' : `\n          seen: ${alert.explanation.summary}`;
  return `${alert.last_seen_at}  ${alert.severity.toUpperCase()}  ${alert.message}${seen}`;
}

interface Summary {
  readonly packets: number;
  readonly flows: number;
  readonly windows: number;
  readonly predictions: number;
  readonly attacks: number;
  readonly alerts: number;
  /** Wherever they happened: packets, flows or windows. */
  readonly drops: number;
  readonly undecodable: number;
  readonly seconds: number;
}

function summaryOf(watch: Watch, seconds: number): Summary {
  const packets = watch.packets.counters;
  const { windows, predictions, attacks, alerts, dropped } = watch.pipeline.counters;
  return {
    packets: packets.packets,
    flows: packets.flows,
    windows,
    predictions,
    attacks,
    alerts,
    drops: packets.droppedKernel + packets.droppedFlows + dropped,
    undecodable: packets.undecodable,
    seconds: Number(seconds.toFixed(3)),
  };
}

function describeSummary(summary: Summary): string {
  const rate = Math.round(summary.packets / summary.seconds);
  return `${summary.packets} packets in ${summary.seconds.toFixed(1)} s (${rate}/s): ${summary.flows} flows, ${summary.predictions} predictions, ${summary.attacks} of them attacks, ${summary.alerts} alerts; ${summary.drops} dropped, ${summary.undecodable} undecodable`;
}
