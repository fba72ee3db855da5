import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { requireSystem } from '../../.ci/require-system.ts';
import { writeCapture } from '../../bench/capture/write-capture.ts';
import { CaptureNetwork } from '../../bench/live/capture-network.ts';
import { MeteringChild } from '../../bench/live/metering-child.ts';
import { WatchedAgent } from '../../bench/live/watched-agent.ts';

const rate = 20_000;
const packets = 40_000;

describe.skipIf(!requireSystem('root', 'tcpdump', 'tcpreplay', 'nft'))(
  'a live interface at 20,000 packets a second',
  () => {
    test('every packet is metered once and none is lost', { timeout: 300_000 }, async () => {
      await using folder = await temporaryFolder();
      const file = join(folder.path, 'mixed.pcap');
      await writeCapture(file, packets);
      await using network = await CaptureNetwork.open();
      await using meter = await MeteringChild.start(network);
      const sent = await network.replay(file, rate);
      const { figures } = await meter.finish(sent.packets);
      expect(figures).toMatchObject({ received: sent.packets, dropped_kernel: 0, dropped_interface: 0 });
      expect(figures.flows).toBeGreaterThan(100);
      expect(figures.latency_ms.median).toBeGreaterThan(0);
    });

    test(
      'the whole agent accounts for every packet, and its status shows what it lost',
      { timeout: 300_000 },
      async () => {
        await using folder = await temporaryFolder();
        const file = join(folder.path, 'mixed.pcap');
        await writeCapture(file, packets);
        await using network = await CaptureNetwork.open();
        await using agent = await WatchedAgent.start(network, folder.path);
        const sent = await network.replay(file, rate);
        const { health } = await agent.settled(sent.packets);
        expect(health.capture).toMatchObject({ packets: sent.packets, dropped_kernel: 0, undecodable: 0 });
        const { stdout } = await agent.ask('status');
        expect(stdout).toContain(`${sent.packets} packets, 0 dropped by the kernel`);
        expect(stdout).toMatch(/memory +\d+ MiB of 256, \d+ at the most/);
      },
    );
  },
);

async function temporaryFolder(): Promise<{ readonly path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), 'picket-live-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}
