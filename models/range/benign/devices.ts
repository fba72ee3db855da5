/** What devices do all day: publish, keep time, resolve names, report to a cloud, fetch firmware, watch each other. */
import { fileURLToPath } from 'node:url';
import type { Conversation } from '../programs/talker.ts';
import type { Device, Site } from '../site.ts';
import { outside } from '../site-plan.ts';
import type { Client, Life } from './life.ts';

const talker = fileURLToPath(new URL('../programs/talker.ts', import.meta.url));

export function deviceClients(site: Site): Client[] {
  const hub = site.serving('mqtt')[0];
  const web = site.serving('web');
  return site.devices.flatMap((device): Client[] => {
    const clients: Client[] = [(life) => talkOutside(life, device), (life) => fetchFirmware(life, device)];
    if (hub !== undefined && hub !== device) {
      clients.push(
        ...(['sensor', 'controller'].includes(device.plan.role)
          ? [(life: Life) => publishSteadily(life, device, hub)]
          : []),
        ...(['thermostat', 'plug', 'camera'].includes(device.plan.role)
          ? [(life: Life) => publishNow(life, device, hub)]
          : []),
      );
    }
    if (device.plan.role === 'hub' || device.plan.role === 'recorder') {
      clients.push(
        ...web.filter((other) => other !== device).map((other) => (life: Life) => poll(life, device, other)),
      );
    }
    if (device.plan.role === 'camera') clients.push((life) => uploadSnapshots(life, device));
    return clients;
  });
}

/** Telemetry, time and names: the talker inside the device, with this device's own rhythm. */
async function talkOutside(life: Life, device: Device): Promise<void> {
  const { random, site } = life;
  const every = (low: number, high: number): number => Math.round(random.between(low, high) * 1000 * site.plan.pace);
  const seed = (): number => random.integer(1, 1e9);
  const conversations: Conversation[] = [
    {
      kind: 'time',
      host: outside.time,
      port: 123,
      everyMs: every(12, 40),
      jitter: 0.1,
      seed: seed(),
      sends: [48, 48],
      asks: [0, 0],
    },
    {
      kind: 'name',
      host: outside.names,
      port: 53,
      everyMs: every(4, 16),
      jitter: 0.9,
      seed: seed(),
      sends: [6, 20],
      asks: [0, 0],
    },
    {
      kind: 'http',
      host: outside.cloud,
      port: 80,
      everyMs: every(5, 25),
      jitter: 0.3,
      seed: seed(),
      sends: [300, random.integer(600, 4000)],
      asks: [150, random.integer(300, 2500)],
      isKept: random.next() < 0.5,
    },
    ...(random.next() < 0.6
      ? [
          {
            kind: 'announce' as const,
            host: '239.255.255.250',
            port: 1900,
            everyMs: every(15, 40),
            jitter: 0.5,
            seed: seed(),
            sends: [120, 300] as const,
            asks: [0, 0] as const,
          },
        ]
      : []),
  ];
  await device.namespace.run(['ip', 'route', 'add', '239.0.0.0/8', 'dev', 'eth0']);
  life.keep(device.namespace, [process.execPath, '--no-warnings', talker, JSON.stringify(conversations)]);
  for (;;) await life.rest(60);
}

/** A connection kept for hours, a reading every few seconds. */
async function publishSteadily(life: Life, device: Device, hub: Device): Promise<void> {
  const seconds = life.random.between(1, 6);
  const qos = life.random.pick(['0', '0', '1']);
  for (;;) {
    const publisher = life.keep(
      device.namespace,
      ['mosquitto_pub', '-h', hub.address, '-t', `site/${device.plan.name}`, '-q', qos, '-k', '20', '-l'],
      { stdio: ['pipe', 'ignore', 'ignore'] },
    );
    publisher.stdin?.on('error', () => undefined);
    const readings = life.random.integer(8, 40); // then it loses its line and connects anew
    for (let index = 0; index < readings; index++) {
      await life.rest(seconds);
      publisher.stdin?.write(`{"t":${life.random.between(10, 30).toFixed(life.random.integer(1, 6))}}\n`);
    }
    publisher.stdin?.end();
    await life.rest(2);
  }
}

/** A connection per message, as battery devices do. */
async function publishNow(life: Life, device: Device, hub: Device): Promise<void> {
  for (;;) {
    await life.rest(5);
    const text = life.random.word(life.random.integer(8, 400));
    await life.act(device.namespace, [
      'mosquitto_pub',
      '-h',
      hub.address,
      '-t',
      `site/${device.plan.name}`,
      '-m',
      text,
    ]);
  }
}

/** A hub asks a device for its state: every few seconds, sometimes for a picture. */
async function poll(life: Life, from: Device, device: Device): Promise<void> {
  const seconds = life.random.between(3, 9);
  for (;;) {
    await life.rest(seconds);
    const path = life.random.pick(['status', 'status', 'app/reading?id=12', 'snapshot.jpg']);
    await life.act(from.namespace, ['curl', '-s', '-m', '10', '-o', '/dev/null', `http://${device.address}/${path}`]);
  }
}

/** Something moved: one to five pictures to the owner's cloud. Honest, and close to exfiltration in shape. */
async function uploadSnapshots(life: Life, camera: Device): Promise<void> {
  const picture = `${site(life)}/${camera.plan.name}/web/snapshot.jpg`;
  for (;;) {
    await life.rest(18);
    for (let left = life.random.integer(1, 5); left > 0; left--) {
      const target = `http://${outside.cloud}/event?size=80`;
      await life.act(camera.namespace, [
        'curl',
        '-s',
        '-m',
        '20',
        '-o',
        '/dev/null',
        '--data-binary',
        `@${picture}`,
        target,
      ]);
      await life.rest(1);
    }
  }
}

const site = (life: Life): string => life.site.folder;

/** A download of 0.2 to 3 MB (times the site's volume) from the vendor, rarely. */
async function fetchFirmware(life: Life, device: Device): Promise<void> {
  for (;;) {
    await life.rest(70);
    const size = Math.round(life.random.between(200_000, 3_000_000) * life.site.plan.volume);
    const target = `http://${outside.web}/firmware?size=${size}`;
    await life.act(device.namespace, ['curl', '-s', '-m', '60', '-o', '/dev/null', target]);
  }
}
