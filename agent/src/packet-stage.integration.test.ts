/**
 * One traffic, four ways: seen live while tcpreplay sends it, and replayed from what tcpdump wrote at the same time, as
 * fast as it goes, ten times as fast, and at recorded pace. Flows and reports must be the same, in the same order.
 */
import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmod, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { requireSystem } from '../../.ci/require-system.ts';
import { AgentConfig } from './config/agent-config.ts';
import { defaultReportPace } from './flow/report-pace.ts';
import { PacketStage } from './packet-stage.ts';
import { pcapBytes } from './testing/capture-builder.ts';
import { flowsOf, type MeteredFlow } from './testing/meter-frames.ts';
import {
  type Ends,
  icmpFrame,
  tcpFrame,
  type TcpOptions,
  type TimedFrame,
  udpFrame,
} from './testing/packet-builder.ts';

const id = `pkt-${randomUUID().slice(0, 8)}`;
/** The sender is in a network namespace; its cable ends in ours, for tcpdump may not change into another. */
const sender = `${id}-a`;
const watched = id;
const markerPort = 9;
const patienceMs = 90_000;
let folder = '';
const pathBefore = process.env['PATH'];

function run(...command: readonly string[]): string {
  const [program = '', ...args] = command;
  const result = spawnSync(program, args, { encoding: 'utf8' });
  if (result.status !== 0) throw new Error(`${command.join(' ')}: ${result.stderr}`);
  return result.stdout;
}

/** Three seconds: a closed connection, a reset, a flood, a conversation that is reported, a silent SYN, and a last packet. */
function traffic(): TimedFrame[] {
  const frames: TimedFrame[] = [];
  const at = (ms: number, frame: Uint8Array): unknown =>
    frames.push({ timeUs: 1_700_000_000_000_000 + ms * 1000, frame });
  const web: Ends = { src: '10.0.0.2', dst: '203.0.113.5', srcPort: 40_001, dstPort: 80 };
  const back = (ends: Ends): Ends => ({
    src: ends.dst,
    dst: ends.src,
    srcPort: ends.dstPort ?? 0,
    dstPort: ends.srcPort ?? 0,
  });
  const tcp = (ms: number, ends: Ends, flags: string, options: Partial<TcpOptions> = {}): unknown =>
    at(ms, tcpFrame(ends, { flags, ...options }));
  tcp(0, web, 'S');
  tcp(20, back(web), 'SA');
  tcp(40, web, 'A');
  tcp(60, web, 'PA', { payload: 120 });
  for (let segment = 0; segment < 6; segment++) tcp(80 + segment, back(web), 'PA', { payload: 1200 + segment });
  tcp(120, web, 'FA');
  tcp(140, back(web), 'FA');
  tcp(160, web, 'A');
  tcp(180, { ...web, srcPort: 40_002, dstPort: 23 }, 'S');
  tcp(185, back({ ...web, srcPort: 40_002, dstPort: 23 }), 'RA');
  tcp(200, { ...web, srcPort: 40_003, dstPort: 24 }, 'S');
  at(210, icmpFrame({ src: web.src, dst: web.dst }, { type: 8, payload: 24 }));
  at(215, icmpFrame({ src: web.dst, dst: web.src }, { type: 0, payload: 24 }));
  for (let shot = 0; shot < 100; shot++) at(300 + shot, udpFrame({ ...web, srcPort: 7, dstPort: 7 }, { payload: 50 }));
  const six: Ends = { src: '2001:db8::2', dst: '2001:db8::5', srcPort: 50_001, dstPort: 5683 };
  for (let turn = 0; turn < 6; turn++)
    at(500 + 300 * turn, udpFrame(turn % 2 ? back(six) : six, { payload: 10 + turn }));
  at(3000, udpFrame({ ...web, srcPort: markerPort, dstPort: markerPort }));
  return frames.toSorted((one, other) => one.timeUs - other.timeUs);
}

interface Metered {
  readonly stage: PacketStage;
  readonly flows: MeteredFlow[];
}

function meter(capture: object, credits = 64, judged: Promise<void> = Promise.resolve()): Metered {
  const flows: MeteredFlow[] = [];
  const config = AgentConfig.parse({ capture });
  const stage = PacketStage.start(
    { capture: config.capture, flowCapacity: 1024, reportPace: defaultReportPace, profile: 'fixed', credits },
    {
      onFlows: (batch) => {
        flows.push(...flowsOf(batch));
        return judged;
      },
      onQuiet: () => Promise.resolve(),
      onWarning: (text) => expect.unreachable(text),
    },
  );
  return { stage, flows };
}

async function replay(file: string, speed: 'max' | number): Promise<MeteredFlow[]> {
  const { stage, flows } = meter({ source: 'pcap', files: [file], speed });
  await using _ = stage;
  await stage.ended;
  return flows;
}

async function until(isSo: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const deadline = performance.now() + patienceMs;
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`not within ${patienceMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

describe.skipIf(!requireSystem('tcpdump', 'tcpreplay', 'ip', 'tee', 'bash', 'root'))('live and replayed', () => {
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'picket-'));
    run('ip', 'netns', 'add', sender);
    // The kernel says nothing of its own on these links.
    run('ip', 'netns', 'exec', sender, 'sysctl', '-qw', 'net.ipv6.conf.default.disable_ipv6=1');
    run('ip', 'link', 'add', watched, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', sender);
    run('sysctl', '-qw', `net.ipv6.conf.${watched}.disable_ipv6=1`);
    run('ip', '-n', sender, 'link', 'set', 'eth0', 'up');
    run('ip', 'link', 'set', watched, 'up');
    // What the agent starts as tcpdump: the real one, and a copy of what it writes. It is another user's by then.
    const copy = `exec "$(PATH=$REAL_PATH command -v tcpdump)" "$@" > >(exec tee '${folder}/live.pcap')`;
    const wrapper = `#!/bin/bash\nREAL_PATH="\${PATH#*:}:/usr/sbin:/sbin"\n${copy}\n`;
    await writeFile(join(folder, 'tcpdump'), wrapper);
    await writeFile(join(folder, 'live.pcap'), '');
    await chmod(join(folder, 'live.pcap'), 0o666);
    await chmod(folder, 0o711);
    await chmod(join(folder, 'tcpdump'), 0o755);
    process.env['PATH'] = `${folder}${delimiter}${pathBefore}`;
  });

  afterEach(async () => {
    process.env['PATH'] = pathBefore;
    spawnSync('ip', ['link', 'del', watched], { stdio: 'ignore' });
    spawnSync('ip', ['netns', 'del', sender], { stdio: 'ignore' });
    await rm(folder, { recursive: true });
  });

  test('the same flows and reports, whichever way the packets come', { timeout: 400_000 }, async () => {
    const frames = traffic();
    await writeFile(join(folder, 'traffic.pcap'), pcapBytes(frames));
    const live = meter({ source: 'live', interface: watched });
    {
      await using stage = live.stage;
      const captured = join(folder, 'live.pcap');
      await until(
        () =>
          stat(captured).then(
            ({ size }) => size >= 24,
            () => false,
          ),
        'tcpdump listens',
      );
      run('ip', 'netns', 'exec', sender, 'tcpreplay', '-q', '-i', 'eth0', join(folder, 'traffic.pcap'));
      await until(() => stage.counters.packets === frames.length, 'every packet was seen');
      stage.stop();
      await stage.ended;
      expect(stage.counters).toMatchObject({ packets: frames.length, droppedKernel: 0, droppedFlows: 0, restarts: 0 });
    }
    const file = join(folder, 'live.pcap');
    const fast = await replay(file, 'max');
    expect(fast.map(({ end }) => end)).toEqual(expect.arrayContaining(['report', 'closed', 'reset', 'end_of_input']));
    expect(live.flows).toEqual(fast);
    expect(await replay(file, 10)).toEqual(fast);
    expect(await replay(file, 1)).toEqual(fast);
  });

  test('live it is behind while flows wait for their verdicts', { timeout: 400_000 }, async () => {
    const frames = traffic();
    await writeFile(join(folder, 'traffic.pcap'), pcapBytes(frames));
    const judged = Promise.withResolvers<void>();
    const { stage, flows } = meter({ source: 'live', interface: watched }, 1, judged.promise);
    await using _ = stage;
    await stage.opened;
    expect(stage.isBehind).toBe(false);
    // Sent again until some are seen: tcpdump may not listen yet.
    await until(() => {
      run('ip', 'netns', 'exec', sender, 'tcpreplay', '-q', '-i', 'eth0', join(folder, 'traffic.pcap'));
      return stage.isBehind;
    }, 'a batch waits');
    expect(flows.length).toBeGreaterThan(0);
    judged.resolve();
    await until(() => !stage.isBehind, 'it was judged');
  });

  test('a file waits, so it is never behind', { timeout: 400_000 }, async () => {
    await writeFile(join(folder, 'traffic.pcap'), pcapBytes(traffic()));
    const judged = Promise.withResolvers<void>();
    const { stage, flows } = meter({ source: 'pcap', files: [join(folder, 'traffic.pcap')] }, 1, judged.promise);
    await using _ = stage;
    await until(() => flows.length > 0, 'a batch waits');
    expect(stage.isBehind).toBe(false);
    judged.resolve();
    await stage.ended;
  });
});
