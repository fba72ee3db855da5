import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { parseTimeServers, readTimeServers } from './time-servers.ts';

test.each([
  [
    'pool 2.debian.pool.ntp.org iburst\n# server 192.0.2.9\nserver 192.0.2.1 minpoll 6',
    ['2.debian.pool.ntp.org', '192.0.2.1'],
  ],
  [
    '[Time]\n#NTP=\nNTP=time.example 2001:db8::123\nFallbackNTP=0.debian.pool.ntp.org',
    ['time.example', '2001:db8::123', '0.debian.pool.ntp.org'],
  ],
  ['server -4 ntp.example\npeer 192.0.2.2\nserverless x\nserver $(reboot)', ['ntp.example', '192.0.2.2']],
  ['', []],
] as const)('%j asks %j', (text, servers) => {
  expect(parseTimeServers(text)).toEqual(servers);
});

test('what any of the time daemons was told is read, and what is not there teaches nothing', async () => {
  const root = await mkdtemp(join(tmpdir(), 'picket-time-'));
  onTestFinished(() => rm(root, { recursive: true }));
  expect(await readTimeServers(root)).toEqual([]);
  await mkdir(join(root, 'etc/chrony/sources.d'), { recursive: true });
  await writeFile(join(root, 'etc/chrony/chrony.conf'), 'pool a.example\n');
  await writeFile(join(root, 'etc/chrony/sources.d/lan.sources'), 'server 192.0.2.3\nserver a.example\n');
  expect(await readTimeServers(root)).toEqual(['a.example', '192.0.2.3']);
});
