/** Floods: more packets, connections or requests than a device can bear; from one address, many, or made-up ones. */
import { fileURLToPath } from 'node:url';
import { address6Of, addressOf } from '../plan/site-plan.ts';
import {
  type Family,
  type Stage,
  type Truth,
  attacker,
  between,
  byPart,
  episode,
  exposed,
  honestAddresses,
  reachable,
  spread,
} from './episode.ts';
import { flags, outwards } from './flood-outwards.ts';
import { apacheBench, siege, wrk } from './flood-requests.ts';
import { alsoInside, fromDevice } from './inside.ts';
import { asDevice, runOwn } from './scan-targets.ts';

const flooder = fileURLToPath(new URL('../programs/flooder.ts', import.meta.url));
const protocols = { syn: 6, ack: 6, rst: 6, fin: 6, udp: 17, icmp: 1, fragments: 1 } as const;

interface Victim {
  readonly address: string;
  readonly port: number;
  /** The same host as the LAN knows it, where the gateway translates. */
  readonly inside: string | null;
}

function victim(stage: Stage): Victim {
  const { random, site } = stage;
  const service = reachable(stage, random.pick(['web', 'web', 'ssh', 'mqtt', 'ftp']));
  if (service === undefined)
    return { address: random.pick(exposed(stage)), port: random.pick([80, 443, 22, 1883, 8080]), inside: null };
  return {
    address: service.address,
    port: service.port,
    inside: site.isTranslated && service.device !== null ? addressOf(site, service.device) : null,
  };
}

/** Anybody at all against the victim. The victim's answers that say "unreachable" belong to the flood as well. */
function madeUp(stage: Stage, protocol: number, port: number | null, { address, inside }: Victim): Truth[] {
  const except = honestAddresses(stage.site);
  return [address, ...(inside === null ? [] : [inside])].flatMap((dst_ip) => {
    const spoofed = { src_ip: null, dst_ip, protocol, dst_port: inside === null ? port : null, except };
    return protocol === 17 ? [spoofed, { ...spoofed, protocol: 1, dst_port: null }] : [spoofed];
  });
}

const hping: Family = (stage) => {
  const { random } = stage;
  const from = attacker(stage);
  const kind = random.pick([
    'syn',
    'syn',
    'syn',
    'ack',
    'udp',
    'udp',
    'udp',
    'icmp',
    'icmp',
    'rst',
    'fin',
    'fragments',
  ] as const);
  const struck = victim(stage);
  const { address, port: servicePort } = struck;
  const isDatagram = kind === 'udp';
  const isPortless = kind === 'icmp' || kind === 'fragments';
  const port = isDatagram
    ? random.pick([53, 123, 161, 1900, 5683, random.integer(1, 65_000)])
    : random.next() < 0.75
      ? servicePort
      : random.integer(1, 65_000);
  const gap = Math.round(spread(random, 180, 12_000));
  const isSpoofed = random.next() < 0.35 && stage.inside === null;
  // one flow that carries it all: a fixed port of its own
  const isOneFlow = !isSpoofed && !isPortless && random.next() < (isDatagram ? 0.5 : 0.25);
  const bytes =
    kind === 'fragments'
      ? random.integer(200, 3000)
      : random.pick([0, 0, random.integer(1, 64), random.integer(64, 1400)]);
  const settings = [
    ...flags[kind],
    '-i',
    `u${gap}`,
    '-d',
    String(bytes),
    ...(isPortless ? [] : ['-p', String(port)]),
    ...(isSpoofed ? ['--rand-source'] : []),
    ...(isOneFlow ? ['-k', '-s', String(random.integer(1024, 65_000))] : []),
  ];
  return episode({
    class: 'ddos_flood',
    tool: 'hping3',
    step: `hping3 ${settings.join(' ')}`,
    seconds: random.integer(5, 20),
    origin: from,
    argv: [
      'hping3',
      '-I',
      'eth0',
      '-q',
      '-n',
      '-c',
      '30000',
      ...(isSpoofed ? [] : ['-a', from.address]),
      ...settings,
      address,
    ],
    truth: isSpoofed ? madeUp(stage, protocols[kind], isPortless ? null : port, struck) : [between(from.address, null)],
    to: address,
  });
};

const nping: Family = (stage) => {
  const { random } = stage;
  const from = attacker(stage);
  const { address, port } = victim(stage);
  const kind = random.pick(['--tcp --flags syn', '--tcp --flags ack', '--udp', '--icmp', '--tcp-connect']);
  const rate = Math.round(spread(random, 80, 2500));
  const source = kind === '--udp' && random.next() < 0.5 ? ['--source-port', String(random.integer(1024, 60_000))] : [];
  const settings = [
    ...kind.split(' '),
    '--rate',
    String(rate),
    ...(kind.includes('connect') ? [] : ['--data-length', String(random.pick([0, 8, 120, 700, 1300]))]),
    ...(kind.includes('icmp') ? [] : ['-p', String(kind === '--udp' ? random.integer(1, 65_000) : port)]),
    ...source,
  ];
  return episode({
    class: 'ddos_flood',
    tool: 'nping',
    step: `nping ${settings.join(' ')}`,
    seconds: random.integer(5, 18),
    origin: from,
    argv: ['nping', '-H', '-N', '-q', '-c', '0', ...asDevice(stage), ...settings, address],
    truth: [between(from.address, null)],
    to: address,
  });
};

/** Datagrams on one socket, or a new connection each time, or requests on kept connections; also to long addresses. */
const own: Family = (stage) => {
  const { random, site } = stage;
  const from = attacker(stage);
  const kind = random.pick(
    byPart(stage.part, {
      train: ['udp', 'udp', 'connections', 'requests'] as const,
      validation: ['udp', 'connections'] as const,
      test: ['udp', 'requests'] as const,
    }),
  );
  const web = reachable(stage, 'web');
  if (kind !== 'udp' && web === undefined) return undefined;
  const device = random.pick(site.devices);
  const long = address6Of(site, device);
  const isLong = kind === 'udp' && long !== null && random.next() < 0.4 && stage.inside === null;
  const address = isLong ? long : kind === 'udp' ? random.pick(exposed(stage)) : web!.address;
  const port = kind === 'udp' ? random.integer(1, 65_000) : web!.port;
  const orders = {
    kind,
    host: address,
    port,
    bytes: random.pick([random.integer(1, 60), random.integer(60, 1350)]),
    gapMs: spread(random, 0.4, 20),
    sockets: kind === 'udp' ? random.pick([1, 1, 1, 4, 40]) : random.integer(2, 60),
  };
  return episode({
    class: 'ddos_flood',
    tool: 'own flooder',
    step: `own flooder ${JSON.stringify({ ...orders, host: undefined })}`,
    seconds: random.integer(5, 18),
    origin: from,
    argv: runOwn(flooder, JSON.stringify(orders)),
    truth: [between(isLong ? from.address6 : from.address, null)],
    to: address,
  });
};

const choose =
  (tools: Readonly<Record<'train' | 'validation' | 'test', readonly Family[]>>): Family =>
  (stage) =>
    stage.random.pick(byPart(stage.part, tools))(stage);

export const flood: Family = alsoInside(
  choose({
    train: [hping, hping, hping, hping, own, own, apacheBench, outwards],
    validation: [hping, nping, own, siege, outwards],
    test: [hping, nping, nping, own, wrk, outwards],
  }),
  fromDevice(
    choose({
      train: [hping, hping, hping, own, apacheBench],
      validation: [hping, nping, own, siege],
      test: [hping, nping, own, wrk],
    }),
    ['web'],
  ),
);
