/** A capture made from nothing: a site comes up, is attacked by a real tool, is gone again, and its flows are packed. */
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { requireSystem } from '../../.ci/require-system.ts';
import { classOfRow, decodeFlowPack } from '../src/dataset/flow-pack.ts';
import { capture } from './capture.ts';
import { extract } from './extract.ts';
import { CaptureLabels } from './labels.ts';
import { existingNamespaces } from './namespace.ts';
import { planSiteByName } from './plan/plan-site.ts';

const needs = [
  'root',
  'ip',
  'nft',
  'tcpdump',
  'nmap',
  'nginx',
  'sshd',
  'vsftpd',
  'mosquitto',
  'dnsmasq',
  'hping3',
  'curl',
  'openssl',
  'python3',
];

test.skipIf(!requireSystem(...needs))(
  'the scan lies where the labels say, among honest life, and no namespace is left',
  { timeout: 240_000 },
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'picket-capture-'));
    try {
      // only sites have namespaces of these names: other tests may have theirs up at the same time
      const hosts = async (): Promise<string[]> =>
        (await existingNamespaces()).filter((name) => /-(wired|wireless|outside|lane0)$/.test(name));
      const before = await hosts();
      let during: string[] = [];
      const log = (): void => void hosts().then((names) => (during = names.filter((name) => !before.includes(name))));
      const site = planSiteByName('demo-00');
      await capture(
        { site, seed: 3, episodes: 2, family: 'port-scan', lanes: 1, lifeSeconds: 6, folder, name: 'scan' },
        log,
        AbortSignal.timeout(200_000),
      );
      expect(await readdir(folder)).toEqual(['scan.labels.json', 'scan.pcap']);
      const labels = CaptureLabels.parse(JSON.parse(await readFile(join(folder, 'scan.labels.json'), 'utf8')));
      expect(labels.rules.map(({ class: label }) => label)).toContain('port_scan');
      expect(during.length).toBe(4);
      const left = await hosts();
      expect(left.filter((name) => during.includes(name))).toEqual([]);

      await extract(folder, join(folder, 'flows'), () => undefined, AbortSignal.timeout(60_000));
      const pack = decodeFlowPack(await readFile(join(folder, 'flows', 'scan.flows')));
      expect(pack.header).toMatchObject({ site: 'demo-00', kind: 'attack', view: 'lan', profile: 'fixed' });
      const rows = Array.from({ length: pack.header.rows }, (_, row) => row);
      const attacks = rows.filter((row) => classOfRow(pack, row) === 'port_scan');
      expect(attacks.length).toBeGreaterThan(10);
      expect(rows.length - attacks.length).toBeGreaterThan(20);
      // who scans does nothing else, and honest hosts do not scan
      const scanners = new Set(labels.rules.flatMap(({ src_ip }) => (src_ip === null ? [] : [src_ip])));
      const addressOf = (number: number | undefined): string => pack.header.addresses[number ?? -1] ?? '';
      for (const row of attacks)
        expect([addressOf(pack.peer[row]), addressOf(pack.device[row])].some((end) => scanners.has(end))).toBe(true);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
);
