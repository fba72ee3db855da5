/**
 * An agent that is restarted beside a habit and a guesser, from the packets to what the network is told: packet thread,
 * registry, windows, the shipped network and the file are those of a gateway.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { newId, type BootId } from '@picket/shared/contract/identifiers';
import { flowContextSize, flowContextWidth, unknownFlowContext } from '@picket/shared/features/flow-context';
import { defaultRules } from '@picket/shared/policy/default-rules';
import { parseAgentConfig } from './config/agent-config.ts';
import { DecisionStore } from './enforcement/decision-store.ts';
import { SimulatedFirewall } from './enforcement/simulated-firewall.ts';
import { guardOf } from './gateway-guard.ts';
import { watchMemory } from './memory-plan.ts';
import { pcapBytes } from './testing/capture-builder.ts';
import { tcpFrame, type TimedFrame } from './testing/packet-builder.ts';
import { Watch } from './watch.ts';
import { writeContextOf } from './window/flow-context.ts';

const startSeconds = 1_700_000_000;
const device = '192.168.1.20';
const deviceMac = '02:00:00:00:00:20';
const gatewayMac = '02:00:00:00:00:01';
const backup = '203.0.113.5';
const guesser = '198.51.100.7';
const minutes = 12;
const guesserCameAt = minutes * 60 - 30;
const pauseSeconds = 6;
const dayInSeconds = 86_400;

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'picket-restart-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

/** A connection that is refused at once. */
function refused(atSeconds: number, src: string, srcPort: number): TimedFrame[] {
  const timeUs = atSeconds * 1_000_000;
  const dst = src === device ? backup : device;
  const macs = src === device ? { srcMac: deviceMac, dstMac: gatewayMac } : { srcMac: gatewayMac, dstMac: deviceMac };
  const macsBack = { srcMac: macs.dstMac, dstMac: macs.srcMac };
  const asked = tcpFrame({ src, dst, srcPort, dstPort: 21 }, { flags: 'S', ...macs });
  const answered = tcpFrame({ src: dst, dst: src, srcPort: 21, dstPort: srcPort }, { flags: 'RA', ...macsBack });
  return [
    { timeUs, frame: asked },
    { timeUs: timeUs + 400, frame: answered },
  ];
}

/** From second `from` to `to` of the story: a backup that is refused every six seconds, and late in it somebody outside. */
async function capture(from: number, to: number, shiftSeconds = 0): Promise<string> {
  const frames: TimedFrame[] = [];
  for (let second = from; second < to; second += 6) {
    const at = startSeconds + shiftSeconds + second;
    frames.push(...refused(at, device, 20_000 + second));
    if (second >= guesserCameAt) frames.push(...refused(at + 2, guesser, 30_000 + second));
  }
  const path = join(folder, `${from}-${to}-${shiftSeconds}.pcap`);
  await writeFile(path, pcapBytes(frames));
  return path;
}

interface Told {
  /** Packet time, seconds after the story's start. */
  readonly at: number;
  /** Of the newest flow of a peer. */
  readonly backup: number | undefined;
  readonly guesser: number | undefined;
  readonly device: number;
}

/** What the network was told of the device's windows in one run over these captures. */
async function run(files: readonly string[], familiarityFile?: string, shiftSeconds = 0): Promise<readonly Told[]> {
  const told: Told[] = [];
  const log = pino({ level: 'silent' });
  using memory = watchMemory(256, () => undefined);
  using store = DecisionStore.open({ path: ':memory:' });
  const config = parseAgentConfig({ capture: { source: 'pcap', files, speed: 'max' } }, 'a test');
  const nothing = () => undefined;
  await using watch = await Watch.open({
    config,
    bootId: newId() as BootId,
    source: 'pcap',
    mode: 'simulate',
    rules: defaultRules,
    guard: await guardOf(config, undefined, {
      ownAddresses: [],
      ownMacs: [gatewayMac],
      defaultRoutes: [],
      defaultRouteMacs: [],
      defaultRouteLinks: [],
      dnsServers: [],
      openResolvers: [],
      timeServers: [],
      outsideLegs: [],
      broadcastAddresses: [],
    }),
    broadcastAddresses: [],
    store,
    familiarityFile,
    clock: 'packet',
    openFirewall: (_, now) => new SimulatedFirewall({ now }),
    listener: {
      onFlow: nothing,
      onDevice: nothing,
      onAlert: nothing,
      onDecision: nothing,
      onPrediction: (_, context) => {
        if (context.device.address !== device) return;
        const numbers = unknownFlowContext(1);
        writeContextOf(context, numbers, 0);
        const first = flowContextSize - context.flows.length * flowContextWidth;
        const knownFor = (peer: string): number | undefined => {
          const at = context.flows.findLastIndex(({ srcIp, dstIp }) => srcIp === peer || dstIp === peer);
          return at < 0 ? undefined : numbers[first + at * flowContextWidth + 5];
        };
        told.push({
          at: context.atUs / 1e6 - startSeconds - shiftSeconds,
          backup: knownFor(backup),
          guesser: knownFor(guesser),
          device: numbers.at(-1)!,
        });
      },
    },
    memory,
    log,
  });
  await watch.ended();
  return told;
}

test('a window after a restart tells for how long everybody is known as one without a restart does', async () => {
  const end = minutes * 60;
  const later = end + 120;
  const file = join(folder, 'familiarity.json');
  const before = await capture(0, end);
  const unbroken = (await run([before, await capture(end, later)])).filter(({ at }) => at >= end);

  await run([before], file);
  const restarted = await run([await capture(end, later, -dayInSeconds)], file, -dayInSeconds);
  const stranger = await run([await capture(end, later, -dayInSeconds)], undefined, -dayInSeconds);
  const windows = unbroken.length;
  expect(windows).toBeGreaterThan(30);
  expect([restarted.length, stranger.length]).toEqual([windows, windows]);

  for (const [at, without] of unbroken.entries()) {
    const after = restarted[at]!;
    expect(after.at).toBeCloseTo(without.at, 3);
    // Time off is not counted: not the day by which the clock went back, and not the seconds until the next flow.
    for (const who of ['device', 'backup', 'guesser'] as const) {
      if (without[who] === undefined || after[who] === undefined) continue;
      expect(after[who], `${who} at ${after.at}`).toBeLessThanOrEqual(without[who] + 0.01);
      expect(after[who], `${who} at ${after.at}`).toBeGreaterThan(without[who] - pauseSeconds);
    }
    expect(stranger[at]!.device).toBeLessThan(later - end);
  }
  const last = restarted.at(-1)!;
  expect(last.backup).toBeGreaterThan(800);
  expect(last.guesser).toBeGreaterThan(120);
  expect(last.guesser, 'who came half a minute before is no old friend').toBeLessThan(150);
});
