/** The services of a site: Debian's daemons with small configurations of ours, in the foreground of a namespace. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Namespace, must } from './namespace.ts';
import { type Place, starters } from './daemons.ts';
import { outsideFiles, outsideShell } from './plan/draft.ts';
import { software } from './plan/plan-devices.ts';
import type { Random } from './random.ts';
import { type SitePlan, addressOf } from './plan/site-plan.ts';

const webApplicationProgram = fileURLToPath(new URL('./programs/web-application.ts', import.meta.url));

export interface Ground {
  readonly plan: SitePlan;
  readonly gateway: Namespace;
  readonly wired: Namespace;
  readonly wireless: Namespace;
  readonly outside: Namespace;
  readonly folder: string;
}

/** The password that admins know and no word list holds. */
const password = 'Tr0ub4dor-and-3';

/** `isAttackable`: with the careless application behind the web servers, which is a process more. */
export async function startServices(ground: Ground, random: Random, isAttackable: boolean): Promise<void> {
  const { plan, folder, gateway, outside } = ground;
  await makeCertificate(folder, random);
  await writeMistyped(folder);
  await startNames(gateway, plan, folder);
  await startBroker(outside, folder, '', random);
  if (plan.edition >= 2) await startOutsideLogins(ground, random);
  const halves = { wired: ground.wired, wireless: ground.wireless };
  for (const [half, namespace] of Object.entries(halves)) {
    const devices = plan.devices.filter((device) => device.half === half);
    await giveAccounts(namespace, folder);
    if (isAttackable && devices.some((device) => device.services.some(({ kind }) => kind === 'web'))) {
      namespace.spawn([process.execPath, '--no-warnings', webApplicationProgram], { cwd: folder });
    }
    for (const device of devices) {
      const own = join(folder, device.name);
      await mkdir(own, { recursive: true });
      for (const service of device.services) {
        if (service.software === 'own') continue; // in the life of the half
        const address = addressOf(plan, device);
        const place = { namespace, folder: own, site: folder, address, port: service.port, random };
        await startDaemon(service.software, place);
      }
    }
  }
}

/** A shell and a file server out in the world, where people of the site have accounts. */
async function startOutsideLogins({ plan, outside, folder }: Ground, random: Random): Promise<void> {
  await giveAccounts(outside, folder);
  for (const [kind, address, port] of [
    ['ssh', outsideShell(plan), 22],
    ['ftp', outsideFiles(plan), 21],
  ] as const) {
    const own = join(folder, kind === 'ssh' ? 'outside-shell' : 'outside-files');
    await mkdir(own, { recursive: true });
    const program = random.pick(software[kind][plan.part]);
    if (program === 'own') continue;
    await startDaemon(program, { namespace: outside, folder: own, site: folder, address, port, random });
  }
}

/** One daemon on one address, accepting connections when this returns. */
export async function startDaemon(software: keyof typeof starters, place: Place): Promise<void> {
  await starters[software](place);
  await listening(place.namespace, place.address, place.port);
}

/** A certificate that the site's clients do not check, as most devices do not. Kinds differ, and so do handshakes. */
async function makeCertificate(folder: string, random: Random): Promise<void> {
  const kind = random.pick([['ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'], ['rsa:2048']]);
  const subject = `/O=${random.word(random.integer(4, 40))}/CN=${random.word(8)}.example`;
  const files = ['-keyout', join(folder, 'key.pem'), '-out', join(folder, 'certificate.pem')];
  await must(['openssl', 'req', '-x509', '-newkey', ...kind, '-nodes', '-days', '30', '-subj', subject, ...files]);
}

/** ssh with a password that is not right. */
async function writeMistyped(folder: string): Promise<void> {
  const ask = join(folder, 'ask');
  await writeFile(ask, '#!/bin/sh\necho hunter$$\n', { mode: 0o755 });
  const script = `#!/bin/sh\nSSH_ASKPASS=${ask} SSH_ASKPASS_REQUIRE=force exec ssh "$@"\n`;
  await writeFile(join(folder, 'mistyped'), script, { mode: 0o755 });
}

/** Accounts of the devices' own: root has a password that is known here and a home in the site's folder. */
async function giveAccounts(namespace: Namespace, folder: string): Promise<void> {
  const hash = (await must(['openssl', 'passwd', '-6', password])).trim();
  const rows = (await must(['cat', '/etc/passwd'])).split('\n');
  const accounts = rows.map((row) => (row.startsWith('root:') ? `root:x:0:0:root:${folder}/home:/bin/sh` : row));
  await namespace.overlay('passwd', accounts.join('\n'));
  const names = rows.filter(Boolean).map((row) => row.split(':')[0] ?? '');
  await namespace.overlay(
    'shadow',
    `${names.map((name) => `${name}:${name === 'root' ? hash : '*'}:19000:0:99999:7:::`).join('\n')}\n`,
  );
  await mkdir(join(folder, 'home', '.ssh'), { recursive: true, mode: 0o700 });
}

/** The gateway's own resolver, as most sites have one. */
async function startNames(gateway: Namespace, plan: SitePlan, folder: string): Promise<void> {
  const lines = [
    'no-resolv',
    'no-hosts',
    'user=root',
    'bind-interfaces',
    'pid-file=',
    `cache-size=${plan.seed % 3 === 0 ? 0 : 150}`,
    `listen-address=${plan.lan}.1`,
    ...plan.cloud.slice(0, 2).map((address) => `server=${address}`),
  ];
  await writeFile(join(folder, 'dnsmasq.conf'), `${lines.join('\n')}\n`);
  gateway.spawn(['/usr/sbin/dnsmasq', '-k', '-C', join(folder, 'dnsmasq.conf')]);
}

/** The cloud's MQTT broker, plain and over TLS. */
async function startBroker(namespace: Namespace, folder: string, address: string, random: Random): Promise<void> {
  const tls = [`certfile ${join(folder, 'certificate.pem')}`, `keyfile ${join(folder, 'key.pem')}`];
  const name = `broker-${random.word(6)}.conf`;
  const lines = [
    'per_listener_settings false',
    'allow_anonymous true',
    'user root',
    `listener 1883 ${address}`,
    `listener 8883 ${address}`,
    ...tls,
  ];
  await writeFile(join(folder, name), `${lines.join('\n')}\n`);
  namespace.spawn(['/usr/sbin/mosquitto', '-c', join(folder, name)]);
}

/** Wait until something in the namespace accepts TCP on a port. Throws after fifteen seconds. */
async function listening(namespace: Namespace, address: string, port: number): Promise<void> {
  for (const deadline = Date.now() + 15_000; ; await pause(100)) {
    const { stdout } = await namespace.run(['ss', '-Hltn', `sport = :${port}`]);
    if (stdout.includes(`${address}:${port}`) || stdout.includes(`*:${port}`) || stdout.includes(`0.0.0.0:${port}`))
      return;
    if (Date.now() > deadline) throw new Error(`nothing listens on ${address}:${port} in ${namespace.name}`);
  }
}
