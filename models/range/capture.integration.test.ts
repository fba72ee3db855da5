/** A capture made from nothing: a site comes up, is scanned by a real tool, and is gone again. */
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { requireSystem } from '../../.ci/require-system.ts';
import { capture } from './capture.ts';
import { familyOf } from './families.ts';
import { CaptureLabels } from './labels.ts';
import { existingNamespaces, must } from './namespace.ts';

const needs = ['root', 'ip', 'tc', 'tcpdump', 'nmap', 'nginx', 'sshd', 'vsftpd', 'mosquitto', 'mosquitto_pub', 'curl'];

test.skipIf(!requireSystem(...needs))(
  'the scan lies where the labels say, among honest life, and no namespace is left',
  { timeout: 120_000 },
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'picket-capture-'));
    try {
      const order = {
        family: familyOf('port-scan'),
        settings: 'demo',
        site: 'demo',
        seed: 3,
        leadSeconds: 5,
        pauseSeconds: 1,
        folder,
        name: 'scan',
      } as const;
      // only this kind of site has a host of that name: other tests may have namespaces up at the same time
      const sites = async (): Promise<string[]> => (await existingNamespaces()).filter((name) => name.endsWith('-nas'));
      const before = await sites();
      let during: string[] = [];
      const log = (): void => void sites().then((names) => (during = names.filter((name) => !before.includes(name))));
      await capture(order, log, AbortSignal.timeout(100_000));

      expect(await readdir(folder)).toEqual(['scan.labels.json', 'scan.pcap']);
      const labels = CaptureLabels.parse(JSON.parse(await readFile(join(folder, 'scan.labels.json'), 'utf8')));
      const [rule] = labels.rules;
      expect(labels.rules).toMatchObject([{ class: 'port_scan', dst_ip: null }]);
      const timesUs = async (filter: string): Promise<number[]> =>
        (await must(['tcpdump', '-n', '-tt', '-r', join(folder, 'scan.pcap'), filter]))
          .split('\n')
          .filter(Boolean)
          .map((line) => Number(line.split(' ')[0]) * 1e6);
      const scan = await timesUs(`src host ${rule?.src_ip}`);
      expect(scan.length).toBeGreaterThanOrEqual(200);
      expect(Math.min(...scan)).toBeGreaterThanOrEqual(rule?.from_us ?? Number.POSITIVE_INFINITY);
      expect(Math.max(...scan)).toBeLessThanOrEqual(rule?.to_us ?? 0);
      expect((await timesUs(`not host ${rule?.src_ip}`)).length).toBeGreaterThan(20);
      expect(during).not.toEqual([]);
      expect((await sites()).filter((name) => during.includes(name))).toEqual([]);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
);
