/** Where a capture may come from besides a plain file, and how each ends. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { pcapBytes } from '../testing/capture-builder.ts';
import { udpFrame } from '../testing/packet-builder.ts';
import { CaptureInput } from './capture-input.ts';
import { PcapFileSource } from './pcap-file-source.ts';

const capture = pcapBytes(
  [1, 2, 3].map((timeUs) => ({ timeUs, frame: udpFrame({ src: '10.0.0.2', dst: '10.0.0.9' }) })),
);

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'picket-'));
  await writeFile(join(folder, 'three.pcap'), capture);
});
afterAll(() => rm(folder, { recursive: true }));

function pipe(name: string): string {
  const path = join(folder, name);
  expect(spawnSync('mkfifo', [path]).status).toBe(0);
  return path;
}

async function packetsOf(source: PcapFileSource, signal: AbortSignal): Promise<number> {
  let packets = 0;
  for await (const chunk of source.chunks(signal)) packets += chunk.count;
  return packets;
}

test('a file knows how far it was read', async () => {
  await using source = await PcapFileSource.open(join(folder, 'three.pcap'));
  expect(source.progress).toEqual({ bytesRead: 0, totalBytes: capture.length });
  expect(await packetsOf(source, new AbortController().signal)).toBe(3);
  expect(source.progress).toEqual({ bytesRead: capture.length, totalBytes: capture.length });
});

test('a named pipe is read to its end, though its writer comes later; its size is not known', async () => {
  const path = pipe('late');
  await using source = await PcapFileSource.open(path);
  const packets = packetsOf(source, new AbortController().signal);
  const writer = spawn('sh', ['-c', 'cat "$1" > "$0"', path, join(folder, 'three.pcap')]);
  await once(writer, 'close');
  expect(await packets).toBe(3);
  expect(source.progress).toEqual({ bytesRead: capture.length, totalBytes: undefined });
});

test('waiting for a writer that never comes can be given up', async () => {
  await using source = await PcapFileSource.open(pipe('never'));
  const stop = new AbortController();
  const packets = packetsOf(source, stop.signal);
  setImmediate(() => stop.abort());
  expect(await packets).toBe(0);
});

test('who had given up before reading began does not wait either', async () => {
  await using source = await PcapFileSource.open(pipe('too-late'));
  expect(await packetsOf(source, AbortSignal.abort())).toBe(0);
});

test('what is no file and no pipe says so', async () => {
  await expect(CaptureInput.open(folder)).rejects.toMatchObject({ code: 'not-a-capture' });
  await expect(CaptureInput.open(join(folder, 'three.pcap', 'x'))).rejects.toMatchObject({ code: 'not-found' });
  const path = join(folder, 'socket');
  await using server = createServer().listen(path);
  await once(server, 'listening');
  await expect(CaptureInput.open(path)).rejects.toMatchObject({ code: 'capture-failed' });
});
