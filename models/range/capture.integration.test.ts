/** A capture made from nothing: a site comes up, is attacked by a real tool, is gone again, and its flows are packed. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
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

const siteHosts = ['gateway', 'lane0', 'outside', 'wired', 'wireless'];

/** Of the site whose gateway writes this file, while it does: other tests may have theirs up at the same time. */
async function namespacesThatRecord(file: string): Promise<readonly string[]> {
  const said = (...[program = '', ...args]: readonly string[]): Promise<string> =>
    promisify(execFile)(program, args).then(
      ({ stdout }) => stdout,
      () => '', // it has ended
    );
  const [recorder = ''] = (await said('pgrep', '-f', file)).split('\n');
  const [, site] = /^(.*-)gateway$/m.exec(await said('ip', 'netns', 'identify', recorder)) ?? [];
  return site === undefined ? [] : (await existingNamespaces()).filter((name) => name.startsWith(site));
}

test.skipIf(!requireSystem(...needs, 'pgrep'))(
  'the scan lies where the labels say, among honest life, and no namespace is left',
  { timeout: 900_000 },
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'picket-capture-'));
    try {
      let during: readonly string[] = [];
      let looking = Promise.resolve();
      const look = async (): Promise<void> => {
        const names = await namespacesThatRecord(join(folder, 'scan.pcap'));
        if (names.length > 0) during = names;
      };
      const log = (): void => void (looking = looking.then(look));
      const site = planSiteByName('demo-00');
      await capture(
        { site, seed: 3, episodes: 2, family: 'port-scan', lanes: 1, lifeSeconds: 6, folder, name: 'scan' },
        log,
        AbortSignal.timeout(600_000),
      );
      expect(await readdir(folder)).toEqual(['scan.labels.json', 'scan.pcap']);
      const labels = CaptureLabels.parse(JSON.parse(await readFile(join(folder, 'scan.labels.json'), 'utf8')));
      expect(labels.rules.map(({ class: label }) => label)).toContain('port_scan');
      await looking;
      expect(during.map((name) => name.replace(/^.*-/, '')).toSorted()).toEqual(siteHosts);
      const left = await existingNamespaces();
      expect(left.filter((name) => during.includes(name))).toEqual([]);

      await extract(folder, join(folder, 'flows'), () => undefined, AbortSignal.timeout(240_000));
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
