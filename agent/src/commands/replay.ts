/** `picket-agent replay`: a capture through the whole pipeline with the shipped bundle, no controller and no kernel. */
import { statSync } from 'node:fs';
import { Command } from 'commander';
import { pino } from 'pino';
import type { Alert } from '@picket/shared/contract/alert';
import { newId, type BootId } from '@picket/shared/contract/identifiers';
import { defaultRules } from '@picket/shared/policy/default-rules';
import { guardOf } from '../gateway-guard.ts';
import { type InputProgress, PcapFileSource } from '../capture/pcap-file-source.ts';
import { parseAgentConfig } from '../config/agent-config.ts';
import { LanPrefixes } from '../devices/lan-prefixes.ts';
import { DecisionStore } from '../enforcement/decision-store.ts';
import { SimulatedFirewall } from '../enforcement/simulated-firewall.ts';
import { AgentError } from '../errors.ts';
import { keepHeapsSmall, watchMemory } from '../memory-plan.ts';
import { Watch, type WatchListener } from '../watch.ts';
import { trustOption } from './agent-options.ts';
import { explainCapture } from './explain-capture.ts';
import { OutputLines } from './output-lines.ts';
import { ProgressLine, showsProgress } from './progress-line.ts';
import { describeSummary, summaryOf } from './replay-summary.ts';
import { StopSignals } from './stop-signals.ts';

interface ReplayOptions {
  readonly speed: string;
  readonly json?: boolean;
  readonly bundle?: string;
  readonly trust: string[];
  readonly lan?: string[];
  readonly progress?: boolean;
}

export function replayCommand(): Command {
  return new Command('replay')
    .description('a capture through the whole pipeline; decisions are simulated')
    .argument('FILE', 'pcap or pcapng; - reads standard input')
    .option('--speed <SPEED>', 'max, or a factor: 1 is as recorded', 'max')
    .option('--bundle <DIR>', 'another model bundle than the shipped one')
    .addOption(trustOption())
    .option(
      '--lan <PREFIX>',
      'addresses of the devices that are watched; may be given again (default: private and link-local ones)',
      lanPrefix,
    )
    .option('--json', 'one JSON object per line: predictions, alerts, decisions, and a summary at the end')
    .option('--progress', 'say on standard error how far it is (default: on a terminal)')
    .option('--no-progress', 'never do')
    .action(replay);
}

async function replay(file: string, options: ReplayOptions): Promise<void> {
  const started = performance.now();
  keepHeapsSmall();
  const config = parseAgentConfig(
    {
      capture: { source: 'pcap', files: [file], speed: parseSpeed(options.speed) },
      model: { bundle: options.bundle ?? null, trust: options.trust },
      ...(options.lan === undefined ? {} : { lan_prefixes: options.lan }),
    },
    'replay',
  );
  await tryInput(file);
  const nothing = {
    ownAddresses: [],
    ownMacs: [],
    defaultRoutes: [],
    defaultRouteMacs: [],
    defaultRouteLinks: [],
    dnsServers: [],
    openResolvers: [],
    timeServers: [],
    outsideLegs: [],
    broadcastAddresses: [],
  };
  const isJson = options.json === true;
  const stop = new AbortController();
  using signals = StopSignals.watch(() => stop.abort());
  const output = OutputLines.open({ onBlocked: (isBlocked) => signals.stepAside(isBlocked) });
  let hideProgress = (): void => undefined;
  const print = (text: string): void => {
    hideProgress();
    output.add(text);
  };
  const log = pino({ level: 'warn' }, pino.destination(2));
  using memory = watchMemory(config.memory.max_mib, (text) => log.warn(text));
  using store = DecisionStore.open({ path: ':memory:' });
  await using watch = await Watch.open({
    config,
    bootId: newId() as BootId,
    source: 'pcap',
    mode: 'simulate',
    rules: defaultRules,
    guard: await guardOf(config, undefined, nothing),
    broadcastAddresses: [],
    store,
    clock: 'packet',
    openFirewall: (_, now) => new SimulatedFirewall({ now }),
    listener: isJson ? jsonLines(output) : forPeople(print),
    memory,
    log,
  });
  using progress = progressOf(watch, options);
  hideProgress = (): void => progress?.hide();
  const stopReading = (): void => watch.packets.stop();
  const over = AbortSignal.any([stop.signal, output.closed]);
  over.addEventListener('abort', stopReading);
  if (over.aborted) stopReading();
  let hasFailed = true;
  try {
    await watch.ended();
    hasFailed = false;
  } finally {
    signals.stepAside(true);
    const summary = summaryOf(watch, (performance.now() - started) / 1000);
    if (isJson) output.add(lineOf({ type: 'summary', ...summary }));
    progress?.[Symbol.dispose]();
    await output.end();
    if (!isJson && !(hasFailed && summary.packets === 0)) console.error(describeSummary(summary));
  }
  signals.setExitCode();
}

/** A wrong name is said at once, not when the model has been loaded. A pipe's writer would lose its reader by this. */
async function tryInput(file: string): Promise<void> {
  try {
    if (file !== '-' && statSync(file, { throwIfNoEntry: false })?.isFIFO() !== true) {
      await using _ = await PcapFileSource.open(file);
    }
  } catch (error) {
    throw explainCapture(error);
  }
}

function progressOf(watch: Watch, options: ReplayOptions): ProgressLine | undefined {
  if (!showsProgress(options.progress, process.stdout.isTTY && options.json === true)) return undefined;
  let read: InputProgress = { bytesRead: 0, totalBytes: undefined };
  return ProgressLine.start(() => {
    const { input, packets, flows } = watch.packets.counters;
    read = input ?? read; // once it is read there is no input, but still work to do
    return { ...read, packets, flows };
  });
}

function lanPrefix(text: string, before: readonly string[] | undefined): string[] {
  try {
    void new LanPrefixes([text]);
  } catch {
    throw new AgentError('usage', `--lan: "${text}" is no prefix; write it like 192.168.1.0/24 or fd00::/8`);
  }
  return [...(before ?? []), text];
}

function parseSpeed(text: string): 'max' | number {
  const speed = Number(text);
  if (text === 'max') return text;
  if (!(speed > 0 && speed <= 10_000))
    throw new AgentError('usage', `--speed: "${text}" is neither max nor a factor from 0 to 10000`);
  return speed;
}

function jsonLines(output: OutputLines): WatchListener {
  const write = (line: object): void => output.add(lineOf(line));
  return {
    onFlow: () => undefined,
    onDevice: () => undefined,
    onPrediction: (prediction) => write({ type: 'prediction', ...prediction }),
    onAlert: (alert) => write({ type: 'alert', ...alert }),
    onDecision: (event) => write({ type: 'decision', ...event }),
  };
}

function forPeople(print: (text: string) => void): WatchListener {
  return {
    onFlow: () => undefined,
    onDevice: () => undefined,
    onPrediction: () => undefined,
    onAlert: (alert) => {
      if (alert.revision === 0) print(`${describeAlert(alert)}\n`);
    },
    onDecision: ({ decision, state, detail }) => {
      const why = state === 'refused' || state === 'failed' ? (detail ?? decision.reason) : decision.reason;
      print(`          ${state}: ${decision.action} ${decision.scope} ${decision.value} (${why})\n`);
    },
  };
}

function lineOf(line: object): string {
  return `${JSON.stringify(line)}\n`;
}

function describeAlert(alert: Alert): string {
  const seen = alert.explanation === null ? '' : `\n          seen: ${alert.explanation.summary}`;
  return `${alert.last_seen_at}  ${alert.severity.toUpperCase()}  ${alert.message}${seen}`;
}
