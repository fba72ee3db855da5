/** A tool that cannot choose its address runs on a device: all that it sends bears that device's address, and is labelled. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { requireSystem } from '../../../.ci/require-system.ts';
import { classOfRow, decodeFlowPack } from '../../src/dataset/flow-pack.ts';
import { capture } from '../capture.ts';
import { extract } from '../extract.ts';
import { planSiteByName } from '../plan/plan-site.ts';
import { addressOf } from '../plan/site-plan.ts';
import { isAttacker } from './episode.ts';
import { planEpisodes } from './plan-episodes.ts';

const needs = ['root', 'ip', 'nft', 'tcpdump', 'nginx', 'sshd', 'vsftpd', 'mosquitto', 'dnsmasq', 'curl', 'openssl'];

test.skipIf(!requireSystem(...needs, 'python3'))(
  'a flooder on a device that is not the first of its half, against a host outside',
  { timeout: 900_000 },
  async () => {
    const site = planSiteByName('train-30');
    const order = { site, seed: 49, episodes: 1, family: 'flood', lanes: 1, lifeSeconds: 4, name: 'flood' } as const;
    const plan = planEpisodes(site, order.seed, 1, order.family)[0]!.plan;
    if (isAttacker(plan.origin)) throw new Error('this seed was chosen because the attacker is inside');
    const { origin, control } = plan;
    const own = addressOf(site, origin);
    const neighbours = site.devices.filter(({ half }) => half === origin.half);
    expect(neighbours.indexOf(origin)).toBeGreaterThan(0);

    const folder = await mkdtemp(join(tmpdir(), 'picket-inside-'));
    try {
      await capture({ ...order, folder }, () => undefined, AbortSignal.timeout(600_000));
      await extract(folder, join(folder, 'flows'), () => undefined, AbortSignal.timeout(240_000));
      const pack = decodeFlowPack(await readFile(join(folder, 'flows', 'flood.flows')));
      const address = (number: number | undefined): string => pack.header.addresses[number ?? -1] ?? '';
      const rows = Array.from({ length: pack.header.rows }, (_, row) => row);
      const struck = rows.filter((row) => address(pack.peer[row]) === control);
      expect(struck.length).toBeGreaterThan(0);
      for (const row of struck) {
        expect(address(pack.device[row])).toBe(own);
        expect(classOfRow(pack, row)).toBe('ddos_flood');
      }
      expect(rows.filter((row) => classOfRow(pack, row) === 'ddos_flood')).toEqual(struck);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
);
