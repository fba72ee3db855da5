/** The command in a process of its own: arguments, standard input and output, exit code. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { featureNames } from '@picket/shared/features/feature-schema';
import { parseAgentConfig } from '../config/agent-config.ts';
import { memoryPlanOf } from '../memory-plan.ts';
import { pcapBytes } from '../testing/capture-builder.ts';
import { tcpFrame, udpFrame } from '../testing/packet-builder.ts';

vi.setConfig({ testTimeout: 120_000 });

/** What main.ts does around this one command, without loading the others. */
const program = `
  import { flowsCommand } from '${import.meta.dirname}/flows.ts';
  import { exitCodeOf, explainError } from '${import.meta.dirname}/../errors.ts';
  try {
    await flowsCommand().parseAsync(process.argv.slice(1), { from: 'user' });
  } catch (error) {
    console.error(explainError(error));
    process.exitCode = exitCodeOf(error);
  }
`;
const node = ['--conditions=@picket/source', '--input-type=module', '--eval', program, '--'];
const timeUs = 1_700_000_000_000_000;
const ends = { src: '10.0.0.2', dst: '10.0.0.9', srcPort: 40_001, dstPort: 80 };
const capture = pcapBytes([
  { timeUs, frame: tcpFrame(ends, { flags: 'S' }) },
  { timeUs: timeUs + 1, frame: tcpFrame(ends, { flags: 'R' }) },
  { timeUs: timeUs + 2, frame: udpFrame({ ...ends, src: '2001:db8::1', dst: '2001:db8::2' }, { payload: 5 }) },
]);

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'picket-'));
  await writeFile(join(folder, 'three.pcap'), capture);
  await writeFile(join(folder, 'cut.pcap'), capture.subarray(0, -1));
  await writeFile(join(folder, 'foreign.txt'), 'srcIp,srcPort\n');
  const many = Array.from({ length: 20_000 }, (_, index) => ({
    timeUs: timeUs + index,
    frame: udpFrame({ ...ends, srcPort: index }),
  }));
  await writeFile(join(folder, 'many.pcap'), pcapBytes(many));
});
afterAll(() => rm(folder, { recursive: true }));

function flows(args: readonly string[], input?: Uint8Array): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [...node, ...args], { encoding: 'utf8', input });
}

test('csv: five key columns and the features in data-set order', () => {
  const { status, stdout } = flows([join(folder, 'three.pcap')]);
  const [header, tcp, udp, ...more] = stdout.trimEnd().split('\n');
  expect(status).toBe(0);
  expect(header).toBe(['srcIp', 'srcPort', 'dstIp', 'dstPort', 'protocol', ...featureNames].join(','));
  expect(tcp).toMatch(/^10\.0\.0\.2,40001,10\.0\.0\.9,80,6,80,1,2,0,0,/);
  expect(udp).toMatch(/^2001:db8::1,40001,2001:db8::2,80,17,80,0,1,0,5,/);
  expect(more).toEqual([]);
});

test('jsonl: one object per flow, from standard input', () => {
  const { status, stdout } = flows(
    ['-', '--format', 'jsonl', '--endings', 'live', '--profile', 'improved2022'],
    capture,
  );
  const rows = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(status).toBe(0);
  expect(rows).toHaveLength(2);
  expect(rows[0]).toMatchObject({
    src_ip: '10.0.0.2',
    dst_port: 80,
    started_at: '2023-11-14T22:13:20.000000Z',
    last_packet_at: '2023-11-14T22:13:20.000001Z',
    end: 'reset',
    report_number: 0,
    features: { 'Flow Duration': 1, 'Total Fwd Packets': 2 },
  });
  expect(rows[1]).toMatchObject({ end: 'end_of_input', features: { 'Flow IAT Mean': null } });
});

test('--community-id: one more column behind the 78, or one more member', () => {
  const file = join(folder, 'three.pcap');
  const [header, tcp, ...more] = flows([file, '--community-id']).stdout.trimEnd().split('\n');
  const [plainHeader, plainTcp] = flows([file]).stdout.split('\n');
  expect(header).toBe(`${plainHeader},communityId`);
  expect(tcp?.slice(0, plainTcp?.length)).toBe(plainTcp);
  expect(tcp?.slice(plainTcp?.length)).toMatch(/^,1:[A-Za-z0-9+/]{27}=$/);
  expect(more).toHaveLength(1);
  const [row] = flows([file, '--community-id', '--format', 'jsonl']).stdout.split('\n');
  expect((JSON.parse(row!) as { community_id: string }).community_id).toBe(tcp?.slice(plainTcp!.length + 1));
});

test('none: nothing but a summary on standard error', () => {
  const { status, stdout, stderr } = flows([join(folder, 'three.pcap'), '--format', 'none']);
  expect([status, stdout]).toEqual([0, '']);
  expect(stderr).toMatch(/^packets 3 {2}flows 2 {2}reports 0 {2}seconds [0-9.]+ {2}packets\/s \d+ .*\n$/);
});

test('what was left out is said on standard error', () => {
  const frames = Array.from({ length: 40 }, (_, index) => ({ timeUs, frame: udpFrame({ ...ends, srcPort: index }) }));
  expect(flows(['-', '--capacity', '16'], pcapBytes(frames)).stderr).toMatch(
    /^picket-agent: 24 flows were ended early/,
  );
  expect(flows(['-'], pcapBytes(frames, { linkType: 147 })).stderr).toMatch(
    /^picket-agent: 40 packets were left out, .*: link type \(147\)\. /,
  );
});

test('--endings live: stragglers of a connection that is over are counted, and time that goes back is said', () => {
  const frame = (flags: string): Uint8Array => tcpFrame({ ...ends, srcPort: 40_000, dstPort: 80 }, { flags });
  const frames = ['S', 'R', 'A', 'A'].map((flags, index) => ({ timeUs: timeUs + index, frame: frame(flags) }));
  const late = flows(['-', '--endings', 'live', '--format', 'none'], pcapBytes(frames));
  expect(late.stderr).toMatch(/^packets 4 {2}flows 1 .* late 2 {2}evicted 0\n$/);
  const before = { timeUs: timeUs - 11_000_000, frame: frame('S') };
  const back = flows(['-', '--endings', 'live', '--format', 'none'], pcapBytes([...frames.slice(0, 1), before]));
  expect(back.stderr).toMatch(/\npicket-agent: time went back by more than 10 s at 1 places, .*: sort the packets/);
});

test('--endings live keeps as many flows open as the agent does by default', () => {
  const { memory, flow } = parseAgentConfig({ capture: { source: 'live', interface: 'eth0' } }, 'the defaults');
  const { flowCapacity } = memoryPlanOf(memory.max_mib, flow.capacity);
  const frames = Array.from({ length: flowCapacity + 1 }, (_, index) => ({
    timeUs: timeUs + index,
    frame: udpFrame({ ...ends, srcPort: index }),
  }));
  const args = ['-', '--endings', 'live', '--format', 'none'];
  expect(flows(args, pcapBytes(frames)).stderr).toMatch(/\npicket-agent: 1 flows were ended early/);
  expect(flows(args, pcapBytes(frames.slice(1))).stderr).not.toMatch(/ended early/);
});

test('bad input is one line and its own exit code; what came before it is written', () => {
  const cut = flows([join(folder, 'cut.pcap')]);
  expect(cut.status).toBe(65);
  expect(cut.stderr).toMatch(/cut\.pcap ends at byte \d+ inside the record that begins at byte \d+.*\n$/);
  expect(cut.stdout.trimEnd().split('\n')).toHaveLength(2);
  const foreign = flows([join(folder, 'foreign.txt')]);
  expect([foreign.status, foreign.stdout]).toEqual([65, '']);
  expect(foreign.stderr.trimEnd().split('\n')).toHaveLength(1);
  const missing = flows([join(folder, 'none.pcap')]);
  expect([missing.status, missing.stderr.trimEnd().split('\n').length]).toEqual([66, 1]);
});

test('a reader that goes away ends the work quietly', async () => {
  const child = spawn(process.execPath, [...node, join(folder, 'many.pcap')], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stderr = '';
  child.stderr.on('data', (data) => (stderr += String(data)));
  await once(child.stdout, 'data');
  child.stdout.destroy();
  const [status] = (await once(child, 'close')) as [number];
  expect([status, stderr]).toEqual([0, '']);
});

test('no schema library is loaded, which would take longer than many a capture', () => {
  const loaded = `
    import { registerHooks } from 'node:module';
    registerHooks({ load: (url, context, next) => (process._rawDebug('loads ' + url), next(url, context)) });
    await import('${import.meta.dirname}/flows.ts');
  `;
  const { status, stderr } = spawnSync(process.execPath, [...node.slice(0, 2), '--eval', loaded], { encoding: 'utf8' });
  const urls = stderr.split('\n').filter((line) => line.startsWith('loads '));
  expect(status).toBe(0);
  expect(urls.some((url) => url.endsWith('flow-meter.ts'))).toBe(true);
  expect(urls.filter((url) => url.includes('/zod/'))).toEqual([]);
});
