/** `flows` and `replay` on what is not a small sound file: pipes, damage, slow readers, signals. In processes of their own. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { pcapBytes } from '../testing/capture-builder.ts';
import { udpFrame } from '../testing/packet-builder.ts';

const main = fileURLToPath(new URL('../main.ts', import.meta.url));
const node = ['--conditions=@picket/source', main];
/** Programs that start on a busy machine. */
const startDeadlineMs = 120_000;
vi.setConfig({ testTimeout: 300_000 });

const folder = mkdtempSync(join(tmpdir(), 'picket-long-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const packets = Array.from({ length: 3000 }, (_, index) => ({
  timeUs: 1_700_000_000_000_000 + index * 1000,
  frame: udpFrame({ src: '10.0.0.2', dst: '10.0.0.9', srcPort: index, dstPort: 53 }, { payload: 20 }),
}));
const capture = pcapBytes(packets);

function file(name: string, content: Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

/** Everything a child says, and how it ends. */
function listen(child: ChildProcess): { stdout: string; stderr: string; closed: Promise<number | null> } {
  const said = { stdout: '', stderr: '', closed: once(child, 'close').then(([code]) => code as number | null) };
  child.stdout!.setEncoding('utf8').on('data', (text: string) => (said.stdout += text));
  child.stderr!.setEncoding('utf8').on('data', (text: string) => (said.stderr += text));
  return said;
}

async function until(condition: () => boolean): Promise<void> {
  const deadlineMs = performance.now() + startDeadlineMs;
  while (!condition() && performance.now() < deadlineMs) await new Promise((resolve) => setTimeout(resolve, 10));
  expect(condition()).toBe(true);
}

test.each<[string, string, () => string, number, RegExp]>([
  ['flows', 'an empty file', () => file('empty.pcap', new Uint8Array(0)), 65, /is empty .*byte 0.*: give a/],
  [
    'flows',
    'a compressed file',
    () => file('small.pcap.gz', gzipSync(capture)),
    65,
    /compressed \(gzip.*byte 0.*gzip -dc/,
  ],
  [
    'flows',
    'a foreign file',
    () => file('table.csv', Buffer.from('srcIp,srcPort\n')),
    65,
    /neither pcap nor pcapng.*byte 0/,
  ],
  ['flows', 'a folder', () => folder, 65, /is a folder: give a pcap/],
  ['flows', 'no file', () => join(folder, 'none.pcap'), 66, /there is no file/],
  [
    'flows',
    'a file cut in a record',
    () => file('cut.pcap', capture.subarray(0, 24 + 78 * 1000 + 30)),
    65,
    /ends at byte 78054 inside the record that begins at byte 78024.*cut the file/,
  ],
  [
    'replay',
    'a compressed file',
    () => file('other.pcap.gz', gzipSync(capture)),
    65,
    /compressed \(gzip.*byte 0.*gzip -dc/,
  ],
  ['replay', 'a folder', () => folder, 65, /is a folder: give a pcap/],
])('%s: %s ends with one line that says where and what to do', (command, _, path, exitCode, message) => {
  const { status, stderr } = spawnSync(process.execPath, [...node, command, path()], { encoding: 'utf8' });
  expect(stderr).toMatch(message);
  expect(stderr).not.toMatch(/\n\s+at /);
  expect(status).toBe(exitCode);
});

test('a file that may not be read names the permission', () => {
  const path = file('closed.pcap', capture);
  // What root may always read, nobody else may: the process gives its rights up once it has loaded.
  const program = `
    import { flowsCommand } from '${import.meta.dirname}/flows.ts';
    import { exitCodeOf, explainError } from '${import.meta.dirname}/../errors.ts';
    import { chmodSync } from 'node:fs';
    chmodSync(${JSON.stringify(path)}, 0);
    if (process.getuid() === 0) process.setuid(65534);
    try {
      await flowsCommand().parseAsync([${JSON.stringify(path)}], { from: 'user' });
    } catch (error) {
      console.error(explainError(error));
      process.exitCode = exitCodeOf(error);
    }`;
  const args = ['--conditions=@picket/source', file('unprivileged.mjs', Buffer.from(program))];
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  expect(stderr).toMatch(/may not be read: give this user read access/);
  expect(status).toBe(77);
});

test('a pipe whose writer falls silent: what was due is written by then, and the rest behind it', async () => {
  const path = join(folder, 'silent-writer.fifo');
  expect(spawnSync('mkfifo', [path]).status).toBe(0);
  const child = spawn(process.execPath, [...node, 'flows', path, '--endings', 'live'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said = listen(child);
  const lines = (): number => said.stdout.split('\n').length - 1;
  const writer = createWriteStream(path);
  // 300 flows, and 2 s later a packet that makes their first reports due: fewer than fill a batch.
  const last = { ...packets[300]!, timeUs: packets[299]!.timeUs + 2_000_000 };
  writer.write(pcapBytes([...packets.slice(0, 300), last]));
  await until(() => lines() === 1 + 300);
  const before = said.stdout;
  writer.end(pcapBytes([{ ...last, timeUs: last.timeUs + 1000 }]).subarray(24));
  expect(await said.closed).toBe(0);
  expect(said.stdout.startsWith(before)).toBe(true);
  expect(lines()).toBe(1 + 300 + 301);
  expect(said.stderr).toBe('');
});

describe.each(['flows', 'replay'] as const)('%s', (command) => {
  test('a signal in the middle of a named pipe: what came is finished and written, and the exit code says it was not all', async () => {
    const path = join(folder, `${command}.fifo`);
    expect(spawnSync('mkfifo', [path]).status).toBe(0);
    const child = spawn(process.execPath, [...node, command, path, '--progress'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const said = listen(child);
    const writer = createWriteStream(path);
    writer.on('error', () => undefined);
    writer.write(capture.subarray(0, capture.length - 10));
    await until(() => /MiB, 2,999 packets/.test(said.stderr));
    child.kill('SIGINT');
    expect(await said.closed).toBe(130);
    writer.destroy();
    if (command === 'flows') expect(said.stdout.trimEnd().split('\n')).toHaveLength(1 + 2999);
    else expect(said.stderr).toMatch(/^2999 packets in .* 2999 flows/m);
    expect(said.stderr).not.toMatch(/truncated|ends at byte|\n\s+at /);
  });

  test('a signal while nobody writes to the pipe ends it, too', async () => {
    const path = join(folder, `${command}-silent.fifo`);
    expect(spawnSync('mkfifo', [path]).status).toBe(0);
    const child = spawn(process.execPath, [...node, command, path, '--progress'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const said = listen(child);
    await until(() => said.stderr.includes('0 packets'));
    child.kill('SIGTERM');
    expect(await said.closed).toBe(143);
  });
});

test('a reader that stops reading is waited for, and gets every flow in order', async () => {
  const many = Array.from({ length: 60_000 }, (_, index) => ({ timeUs: index, frame: packets[index % 3000]!.frame }));
  for (const [index, packet] of many.entries()) {
    const frame = Uint8Array.from(packet.frame);
    frame[29] = index / 3000;
    many[index] = { timeUs: index, frame };
  }
  const path = file('many.pcap', pcapBytes(many));
  const child = spawn(process.execPath, [...node, 'flows', path], { stdio: ['ignore', 'pipe', 'pipe'] });
  let rows = 0;
  let rest = '';
  const ports: number[] = [];
  for await (const data of child.stdout.setEncoding('utf8')) {
    const lines = (rest + String(data)).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (rows++ > 0) ports.push(Number(line.split(',')[1]));
    if (rows < 3000) await new Promise((resolve) => setTimeout(resolve, 20));
  }
  expect(rest).toBe('');
  expect(ports).toEqual(many.map((_, index) => index % 3000));
});

test('progress goes to standard error, about once a second, and never into the flows', async () => {
  const child = spawn(process.execPath, [...node, 'flows', '-', '--progress'], { stdio: ['pipe', 'pipe', 'pipe'] });
  const said = listen(child);
  const startedMs = performance.now();
  child.stdin.write(capture.subarray(0, 100_000));
  await until(() => (said.stderr.match(/packets\/s/g)?.length ?? 0) >= 2);
  const seconds = (performance.now() - startedMs) / 1000;
  expect(said.stderr.match(/packets\/s/g)!.length).toBeLessThanOrEqual(seconds + 1);
  child.stdin.end(capture.subarray(100_000));
  expect(await said.closed).toBe(0);
  const { stdout } = spawnSync(process.execPath, [...node, 'flows', '-', '--no-progress'], {
    encoding: 'utf8',
    input: capture,
    maxBuffer: 1 << 26,
  });
  expect(said.stdout).toBe(stdout);
});
