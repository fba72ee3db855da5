import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, open, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { readNameServers } from './name-servers.ts';
import { readShortFile } from './read-short-file.ts';
import { readTimeServers } from './time-servers.ts';

async function folder(): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'picket-read-'));
  onTestFinished(() => rm(made, { recursive: true }));
  return made;
}

test('a file is read whole, and nothing else is, however it is called', async () => {
  const root = await folder();
  const at = (name: string): string => join(root, name);
  await writeFile(at('short'), 'nameserver 192.0.2.1\n');
  await symlink(at('short'), at('link'));
  expect([await readShortFile(at('short')), await readShortFile(at('link'))]).toEqual(
    Array(2).fill('nameserver 192.0.2.1\n'),
  );
  await writeFile(at('most'), 'x'.repeat(131_072));
  expect(await readShortFile(at('most'))).toHaveLength(131_072);
  await truncate(at('most'), 2 ** 31);
  await symlink('/dev/zero', at('zero'));
  await symlink(at('loop'), at('loop'));
  for (const name of ['most', 'zero', 'loop', 'nothing', '.']) expect(await readShortFile(at(name)), name).toBe('');
});

test('what somebody says through a pipe is not taken for a file', async () => {
  const pipe = join(await folder(), 'pipe');
  execFileSync('mkfifo', [pipe]);
  await using writer = await open(pipe, 'r+');
  await writer.write('nameserver 192.0.2.1\n');
  expect(await readShortFile(pipe)).toBe('');
});

test('pipes that nobody writes to keep nothing from being read', async () => {
  const root = await folder();
  for (const path of ['etc/dnsmasq.d', 'etc/chrony/conf.d']) await mkdir(join(root, path), { recursive: true });
  // more than there are threads to wait in
  const pipes = Array.from({ length: 8 }, (_, index) => [`etc/dnsmasq.d/${index}`, `etc/chrony/conf.d/${index}.conf`]);
  execFileSync(
    'mkfifo',
    pipes.flat().map((path) => join(root, path)),
  );
  await writeFile(join(root, 'etc/dnsmasq.d/own'), 'server=192.0.2.1\n');
  await writeFile(join(root, 'etc/chrony/conf.d/own.conf'), 'server 192.0.2.2\n');
  expect(await readNameServers(root)).toEqual(['192.0.2.1']);
  expect(await readTimeServers(root)).toEqual(['192.0.2.2']);
});
