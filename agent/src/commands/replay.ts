/** `picket-agent replay`: a capture through the whole pipeline with the shipped bundle, no controller and no kernel. */
import { statSync } from 'node:fs';
import { Command } from 'commander';
import { pino } from 'pino';
import { newId, type BootId } from '@picket/shared/contract/identifiers';
import { defaultRules } from '@picket/shared/policy/default-rules';
import { guardOf } from '../gateway-guard.ts';
import { type InputProgress, PcapFileSource } from '../capture/pcap-file-source.ts';
import { parseAgentConfig } from '../config/agent-config.ts';
import type { DeviceRegistry } from '../devices/device-registry.ts';
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
import { LeftOutLinks } from './left-out-links.ts';
import { ReplayAlerts } from './replay-alerts.ts';
import { ReplayOutcome } from './replay-outcome.ts';
import { describeSummary, summaryOf } from './replay-summary.ts';
import { StopSignals } from './stop-signals.ts';

type Results = 'onPrediction' | 'onAlert' | 'onDecision';

interface ReplayOptions {
  readonly speed: string;
  readonly json?: boolean;
  readonly explain?: boolean;
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
    .option('--explain', 'print the ten reasons of each alert and the flows that carried it')
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
  const links = await tryInput(file);
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
  const outcome = new ReplayOutcome(config.lan_prefixes);
  let addressesOf: DeviceRegistry['addressesOf'] = () => [];
  const alerts = new ReplayAlerts({
    print,
    addressesOf: (mac) => addressesOf(mac),
    explains: options.explain === true,
  });
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
    listener: listening(outcome, isJson ? jsonLines(output) : forPeople(alerts)),
    memory,
    log,
  });
  addressesOf = (mac) => watch.registry.addressesOf(mac);
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
    const summary = summaryOf(watch, outcome.figures, (performance.now() - started) / 1000);
    output.add(isJson ? lineOf({ type: 'summary', ...summary }) : alerts.overview());
    progress?.[Symbol.dispose]();
    await output.end();
    if (!isJson && !(hasFailed && summary.packets === 0))
      console.error(describeSummary(summary, outcome.figures, links));
  }
  signals.setExitCode();
}

/**
 * A wrong name is said at once, not when the model has been loaded. The links that its first packets cannot be read by; empty
 * where there are none, and for a pipe, whose writer would lose its reader by this.
 */
async function tryInput(file: string): Promise<string> {
  const links = new LeftOutLinks();
  try {
    if (file === '-' || statSync(file, { throwIfNoEntry: false })?.isFIFO() === true) return '';
    await using source = await PcapFileSource.open(file);
    for await (const chunk of source.chunks(new AbortController().signal)) {
      links.note(chunk);
      break;
    }
  } catch (error) {
    throw explainCapture(error);
  }
  return links.toString();
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

function listening(outcome: ReplayOutcome, results: Pick<WatchListener, Results>): WatchListener {
  return {
    onFlow: (batch, row, role) => outcome.noteFlow(batch, row, role),
    onDevice: () => undefined,
    onPrediction: (prediction, context, ...others) => {
      outcome.notePrediction(prediction, context.countsAsEvidence);
      results.onPrediction(prediction, context, ...others);
    },
    onAlert: (alert) => results.onAlert(alert),
    onDecision: (event) => results.onDecision(event),
  };
}

function jsonLines(output: OutputLines): Pick<WatchListener, Results> {
  const write = (line: object): void => output.add(lineOf(line));
  return {
    onPrediction: (prediction) => write({ type: 'prediction', ...prediction }),
    onAlert: (alert) => write({ type: 'alert', ...alert }),
    onDecision: (event) => write({ type: 'decision', ...event }),
  };
}

function forPeople(alerts: ReplayAlerts): Pick<WatchListener, Results> {
  return {
    onPrediction: () => undefined,
    onAlert: (alert) => alerts.noteAlert(alert),
    onDecision: (event) => alerts.noteDecision(event),
  };
}

function lineOf(line: object): string {
  return `${JSON.stringify(line)}\n`;
}
