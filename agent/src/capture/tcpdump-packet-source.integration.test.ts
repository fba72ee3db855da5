import { spawn, spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { requireSystem } from '../../../.ci/require-system.ts';
import { FlowMeter } from '../features/flow-meter.ts';
import { flowsOf, type MeteredFlow } from '../testing/meter-frames.ts';
import { type CaptureChild, type CaptureRequest, startTcpdump } from './tcpdump-child.ts';
import { TcpdumpPacketSource } from './tcpdump-packet-source.ts';

describe.skipIf(!requireSystem('tcpdump', 'root'))('tcpdump', { timeout: 180_000 }, () => {
  test('packets of the loopback interface become flows; a child that dies is replaced and counted', async () => {
    const stop = new AbortController();
    const deadline = setTimeout(() => stop.abort(), 60_000);
    const socket = createSocket('udp4').bind(0, '127.0.0.1');
    await once(socket, 'listening');
    const { port } = socket.address();
    const send = setInterval(() => socket.send('picket', port, '127.0.0.1'), 50);
    const flows: MeteredFlow[] = [];
    const meter = FlowMeter.create({ profile: 'fixed', endings: 'live' }, (batch) => flows.push(...flowsOf(batch)));
    const warnings: string[] = [];
    await using source = await TcpdumpPacketSource.open({
      interface: 'lo',
      filter: `udp port ${port}`,
      onWarning: (text) => warnings.push(text),
    });
    let killed = false;
    for await (const chunk of source.chunks(stop.signal)) {
      meter.add(chunk);
      if (!killed) spawnSync('pkill', ['-KILL', '-P', String(process.pid), 'tcpdump']);
      killed = true;
      if (source.drops().restarts > 0) stop.abort();
    }
    clearTimeout(deadline);
    clearInterval(send);
    socket.close();
    meter.finish();
    expect(source.drops()).toEqual({ kernel: 0, interface: 0, restarts: 1 });
    expect(warnings).toHaveLength(1);
    expect(flows.filter(({ end }) => end !== 'report')).toHaveLength(1); // one that lasts a second is reported, too
    expect(flows[0]).toMatchObject({ src: '127.0.0.1', srcPort: port, dstPort: port, protocol: 17 });
    expect(flows[0]!.features['Fwd Packet Length Mean']).toBe(6);
  });

  test('a capture has the right to capture and no other, and ends with a process that is killed', async () => {
    const program = `
      const { startTcpdump } = await import(${JSON.stringify(new URL('./tcpdump-child.ts', import.meta.url).href)});
      const child = startTcpdump({ interface: 'lo', filter: 'udp port 9 and not udp port 9' });
      child.stderr.on('data', (text) => process.stdout.write(text));
    `;
    const parent = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 2] });
    const found = await eventually(() => childOf(parent.pid!));
    await eventually(() => (capabilitiesOf(found) === '0000000000002000' ? true : undefined));
    parent.kill('SIGKILL');
    // not one packet passed that it could have failed to hand over
    expect(await eventually(() => (existsSync(`/proc/${found}`) ? undefined : 'gone'))).toBe('gone');
  });

  test('what cannot be captured says why', async () => {
    const open = (options: Parameters<typeof TcpdumpPacketSource.open>[0]): Promise<unknown> =>
      TcpdumpPacketSource.open(options);
    await expect(open({ interface: 'nosuch0' })).rejects.toMatchObject({ code: 'not-found' });
    await expect(open({ interface: 'lo', filter: 'foo bar' })).rejects.toMatchObject({ code: 'capture-failed' });
    await expect(open({ interface: '-w x' })).rejects.toMatchObject({ code: 'not-found' });
  });
});

test('a missing tcpdump is named', async () => {
  const start = (request: CaptureRequest): CaptureChild => startTcpdump(request, '/nonexistent/tcpdump');
  await expect(TcpdumpPacketSource.open({ interface: 'lo', start })).rejects.toMatchObject({ code: 'tool-missing' });
});

/** Waits for what is there to be seen, a minute at the most. */
async function eventually<T>(look: () => T | undefined): Promise<T> {
  const deadline = performance.now() + 60_000;
  for (;;) {
    const seen = look();
    if (seen !== undefined) return seen;
    if (performance.now() > deadline) throw new Error('it did not happen within 60 s');
    await wait(20);
  }
}

function childOf(pid: number): number | undefined {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return text === '' ? undefined : Number(text.split(' ')[0]);
}

function capabilitiesOf(pid: number): string | undefined {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return /^Name:\ttcpdump$/m.test(status) ? /^CapPrm:\t(\w+)/m.exec(status)?.[1] : undefined;
}
