/** What people do: browse a device's pages from outside, log in to repair something, fetch files, use the application. */
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Device, Host, Site } from '../site.ts';
import type { Client, Life } from './life.ts';

export function peopleClients(site: Site): Client[] {
  const { browsing, adminLogins, fileTransfers } = site.plan.people;
  const [first, second, third] = site.people;
  return [
    ...(browsing && first !== undefined ? [(life: Life) => browse(life, first)] : []),
    ...(browsing && second !== undefined ? [(life: Life) => useApplication(life, second)] : []),
    ...(browsing && third !== undefined ? [(life: Life) => browse(life, third)] : []),
    ...(adminLogins && first !== undefined ? [(life: Life) => logIn(life, first)] : []),
    ...(adminLogins
      ? [
          (life: Life) =>
            logIn(
              life,
              site.devices.find((device) => device.plan.role === 'hub')!,
            ),
        ]
      : []),
    ...(fileTransfers && second !== undefined ? [(life: Life) => transferFiles(life, second)] : []),
    ...(fileTransfers ? [(life: Life) => transferFiles(life, site.devices[0]!)] : []),
  ];
}

const agents = ['Mozilla/5.0 (X11; Linux x86_64) Firefox/128.0', 'Mozilla/5.0 (iPhone) Safari/604.1', 'okhttp/4.12'];

/** A page with its parts, some reading, another page; sometimes over one connection, sometimes over several. */
async function browse(life: Life, person: Host): Promise<void> {
  for (;;) {
    await life.rest(9);
    const device = life.random.pick(life.site.serving('web'));
    const agent = life.random.pick(agents);
    for (let pages = life.random.integer(1, 5); pages > 0; pages--) {
      const parts = ['index.html', 'style.css', 'script.js', 'status', 'snapshot.jpg'];
      const wanted = parts
        .slice(0, life.random.integer(1, parts.length))
        .map((part) => `http://${device.address}/${part}`);
      const outputs = wanted.flatMap((address) => ['-o', '/dev/null', address]);
      const parallel = life.random.next() < 0.3 ? ['-Z'] : [];
      await life.act(person.namespace, ['curl', '-s', '-m', '20', '-A', agent, ...parallel, ...outputs]);
      await life.rest(4);
    }
  }
}

/** Searches, forms and comments, typed by a person: the honest likeness of injections. */
async function useApplication(life: Life, person: Host): Promise<void> {
  const { random } = life;
  for (;;) {
    await life.rest(6);
    const device = random.pick(life.site.serving('web'));
    const words = Array.from({ length: random.integer(1, 6) }, () => random.word(random.integer(2, 9))).join('+');
    const path = random.pick([
      `reading?id=${random.integer(1, 200)}`,
      `search?q=${words}`,
      `login?user=${random.word(5)}&password=${random.word(8)}`,
      `comment?text=${words}+%26+${random.word(5)}%21`,
    ]);
    const target = `http://${device.address}/app/${path}`;
    await life.act(person.namespace, ['curl', '-s', '-m', '20', '-A', random.pick(agents), '-o', '/dev/null', target]);
  }
}

/** An admin's log-in by key with a few commands; now and then the password is tried first, and mistyped. */
async function logIn(life: Life, person: Host): Promise<void> {
  const askPass = join(life.site.folder, 'mistyped');
  await writeFile(askPass, '#!/bin/sh\necho hunter3\n');
  await chmod(askPass, 0o755);
  for (;;) {
    await life.rest(14);
    const device = life.random.pick(life.site.serving('ssh').filter((device) => device.address !== person.address));
    const common = ['-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null', '-o', 'ConnectTimeout=5'];
    if (life.random.next() < 0.25) {
      await life.act(
        person.namespace,
        [
          'ssh',
          ...common,
          '-o',
          'PubkeyAuthentication=no',
          '-o',
          'NumberOfPasswordPrompts=1',
          `root@${device.address}`,
        ],
        { env: { ...process.env, SSH_ASKPASS: askPass, SSH_ASKPASS_REQUIRE: 'force' } },
      );
      await life.rest(3);
    }
    await life.act(person.namespace, [
      'ssh',
      ...common,
      '-i',
      keyOf(life, device),
      `root@${device.address}`,
      session(life),
    ]);
  }
}

/** What is typed: some lines with pauses, or one quick command. */
function session(life: Life): string {
  const lines = life.random.pick([0, 0, 3, 8]);
  const typed = Array.from(
    { length: lines },
    () =>
      `sleep ${life.random.between(0.3, 2).toFixed(1)}; uname -a; ls /usr/bin | head -${life.random.integer(5, 200)}`,
  );
  return ['uptime', ...typed].join('; ');
}

const keyOf = (life: Life, device: Device): string => join(life.site.folder, device.plan.name, 'user_key');

async function transferFiles(life: Life, host: Host): Promise<void> {
  for (;;) {
    await life.rest(20);
    const server = life.random.pick(life.site.serving('ftp').filter((device) => device.address !== host.address));
    const files = Array.from(
      { length: life.random.integer(1, 3) },
      () => `ftp://${server.address}/record${life.random.integer(0, 3)}.bin`,
    );
    const outputs = files.flatMap((address) => ['-o', '/dev/null', address]);
    await life.act(host.namespace, ['curl', '-s', '-m', '40', ...outputs]);
  }
}
