import { spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { requireSystem } from '../../../.ci/require-system.ts';
import { FlowMeter } from '../features/flow-meter.ts';
import { flowsOf, type MeteredFlow } from '../testing/meter-frames.ts';
import { TcpdumpPacketSource } from './tcpdump-packet-source.ts';

describe.skipIf(!requireSystem('tcpdump', 'root'))('tcpdump', () => {
  test('packets of the loopback interface become flows; a child that dies is replaced and counted', async () => {
    const stop = new AbortController();
    const deadline = setTimeout(() => stop.abort(), 15_000);
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

  test('what cannot be captured says why', async () => {
    const open = (options: Parameters<typeof TcpdumpPacketSource.open>[0]): Promise<unknown> =>
      TcpdumpPacketSource.open(options);
    await expect(open({ interface: 'nosuch0' })).rejects.toMatchObject({ code: 'not-found' });
    await expect(open({ interface: 'lo', filter: 'foo bar' })).rejects.toMatchObject({ code: 'capture-failed' });
    await expect(open({ interface: '-w x' })).rejects.toMatchObject({ code: 'not-found' });
  });
});

test('a missing tcpdump is named', async () => {
  await expect(TcpdumpPacketSource.open({ interface: 'lo', program: '/nonexistent/tcpdump' })).rejects.toMatchObject({
    code: 'tool-missing',
  });
});
