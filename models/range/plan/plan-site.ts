/** A site from its part and number: the same two always give the same site, to the last port and pause. */
import type { Conversation, Serving } from '../programs/conversation.ts';
import { Random } from '../random.ts';
import { planLine, planRadio } from './plan-lines.ts';
import { planDevices } from './plan-devices.ts';
import { type Neighbourhood, around, chance, clock, conversation } from './neighbourhood.ts';
import { administers, fetchesFiles } from './people-habits.ts';
import { roles } from './roles.ts';
import { editionOf, siteName, streams } from './site-names.ts';
import { planLookAlikes } from './look-alikes.ts';
import { type DevicePlan, type Part, type SitePlan, address6Of, addressOf } from './site-plan.ts';

/** `train-07` → its plan. Throws where the name is none. */
export function planSiteByName(name: string): SitePlan {
  const match = /^(train|validation|test|demo)-(\d+)$/.exec(name);
  if (match === null)
    throw new Error(`no site "${name}": sites are named like train-07, validation-02, test-11, demo-01`);
  return planSite(match[1] as Part, Number(match[2]));
}

export function planSite(part: Part, number: number): SitePlan {
  const seed = streams[part] * (number + 1);
  const random = new Random(seed);
  const lan = random.pick([
    () => `192.168.${random.integer(0, 254)}`,
    () => `10.${random.integer(0, 254)}.${random.integer(0, 254)}`,
    () => `172.${random.integer(16, 31)}.${random.integer(0, 254)}`,
  ])();
  const hex = (): string => random.integer(0x1000, 0xffff).toString(16);
  const lan6 = random.next() < 0.45 ? `fd${hex().slice(0, 2)}:${hex()}:${hex()}:${hex()}::` : null;
  const used = new Set<string>();
  const outsideAddress = (): string => {
    for (;;) {
      const address = `198.${random.integer(18, 19)}.${random.integer(0, 199)}.${random.integer(1, 254)}`;
      if (!used.has(address)) return used.add(address) && address;
    }
  };
  const cloud = Array.from({ length: random.integer(6, 14) }, outsideAddress);
  const cloud6 = lan6 === null ? [] : Array.from({ length: random.integer(2, 5) }, () => `2001:db8:${hex()}::${hex()}`);
  const people = Array.from({ length: random.integer(1, 4) }, outsideAddress);
  const isTranslated = part !== 'demo' && random.next() < 0.45;
  const { line, access } = planLine(part, random);
  const devices = planDevices(part, isTranslated, random);
  const site = {
    name: siteName(part, number),
    part,
    seed,
    edition: editionOf(part, number),
    lan,
    lan6,
    isTranslated,
    outer: outsideAddress(),
    outer6: `2001:db8:${hex()}::${hex()}`,
    access,
    line,
    radio: planRadio(part, random),
    devices,
    cloud,
    cloud6,
    people,
    storms: Array.from({ length: random.integer(0, 3) }, () => random.integer(60, 2400)).sort((a, b) => a - b),
  };
  return { ...site, ...planLife(site, random) };
}

type Bare = Omit<SitePlan, 'conversations' | 'servings'>;

function planLife(site: Bare, random: Random): Pick<SitePlan, 'conversations' | 'servings'> {
  const conversations = { wired: [] as Conversation[], wireless: [] as Conversation[], outside: [] as Conversation[] };
  const servings = { wired: [] as Serving[], wireless: [] as Serving[], outside: outsideServings(site) };
  for (const device of site.devices) {
    servings[device.half].push(...deviceServings(site, device));
    const here = neighbourhood(site, device, random.fork());
    for (const [habits, likelihood] of roles.find((role) => role.name === device.role)!.habits) {
      if (here.random.next() < likelihood) conversations[device.half].push(...habits(here));
    }
  }
  for (const person of site.people) conversations.outside.push(...outsiders(site, person, random.fork()));
  // drawn from a stream of its own: what comes before is the same in all editions
  if (site.edition >= 2) planLookAlikes({ site, random: new Random(site.seed ^ 0x10_0c), conversations, servings });
  return { conversations, servings };
}

function neighbourhood(site: Bare, device: DevicePlan, random: Random): Neighbourhood {
  const others = site.devices.filter((other) => other !== device);
  const serving = (kind: string): DevicePlan[] =>
    others.filter((other) => other.services.some((service) => service.kind === kind));
  const portOf = (other: DevicePlan, kind: string): number =>
    other.services.find((service) => service.kind === kind)!.port;
  const role = (name: string): string | null => {
    const found = others.find((other) => other.role === name);
    return found === undefined ? null : addressOf(site, found);
  };
  return {
    random,
    from: addressOf(site, device),
    from6: address6Of(site, device),
    cloud: site.cloud,
    cloud6: site.cloud6,
    gateway: `${site.lan}.1`,
    broadcast: `${site.lan}.255`,
    hub: role('hub'),
    recorder: role('recorder'),
    webs: serving('web').map((other) => addressOf(site, other)),
    shells: serving('ssh').map((other) => ({
      address: addressOf(site, other),
      port: portOf(other, 'ssh'),
      key: `{folder}/${other.name}/user_key`,
    })),
    files: serving('ftp').map((other) => ({ address: addressOf(site, other), port: portOf(other, 'ftp') })),
  };
}

/** What our own servers answer on a device; the daemons are started beside them. */
function deviceServings(site: Bare, device: DevicePlan): Serving[] {
  const address = addressOf(site, device);
  const serve = (kind: Serving['kind'], port: number): Serving => ({ kind, address, port, isTls: false });
  return [
    ...device.services.flatMap((service) => {
      if (service.kind === 'telnet') return [serve('telnet', service.port)];
      if (service.kind === 'rtsp') return [serve('http', service.port)];
      return service.software === 'own' ? [serve('http', service.port)] : [];
    }),
    ...(device.role === 'hub' ? [serve('framed', 502), serve('datagrams', 161), serve('datagrams', 5683)] : []),
    ...(device.role === 'recorder' ? [serve('datagrams', 5004)] : []),
    ...(device.filter === 'tarpit' ? [serve('silence', 9)] : []),
  ];
}

function outsideServings(site: Bare): Serving[] {
  return [...site.cloud, ...site.cloud6].flatMap((address): Serving[] => [
    { kind: 'http', address, port: 80, isTls: false },
    { kind: 'http', address, port: 8080, isTls: false },
    { kind: 'http', address, port: 443, isTls: true },
    { kind: 'framed', address, port: 5228, isTls: false },
    { kind: 'framed', address, port: 7001, isTls: false },
    { kind: 'framed', address, port: 8443, isTls: true },
    { kind: 'names', address, port: 53, isTls: false },
    ...[123, 3478, 5004, 5683].map((port) => ({ kind: 'datagrams', address, port, isTls: false }) as const),
  ]);
}

/** People and partners who reach in from outside: the page of a camera, a file, a shell, the app of the house. */
function outsiders(site: Bare, person: string, random: Random): Conversation[] {
  const here = { random, from: person, from6: null };
  const reachable = site.devices.flatMap((device) =>
    device.services.flatMap((service) => {
      if (site.isTranslated && service.forwardedPort === null) return [];
      const address = site.isTranslated ? site.outer : addressOf(site, device);
      return [{ device, service, address, port: site.isTranslated ? service.forwardedPort! : service.port }];
    }),
  );
  const found: Conversation[] = [];
  for (const { device, service, address, port } of reachable) {
    if (random.next() > 0.35) continue;
    const neighbours = {
      random,
      from: person,
      from6: null,
      cloud: [],
      cloud6: [],
      gateway: site.outer,
      broadcast: '',
      hub: null,
      recorder: null,
      webs: [address],
    };
    if (service.kind === 'web' || service.kind === 'rtsp') {
      found.push(
        conversation(here, 'visit', address, port, chance(random, 20, 150), {
          asks: [300, 60_000],
          per: [1, random.integer(1, 6)],
          gapMs: random.between(50, 600),
        }),
        conversation(here, 'http', address, port, clock(random, 10, 60), {
          asks: around(random, 60, 2000),
          per: [1, 2],
        }),
      );
    } else if (service.kind === 'mqtt') {
      found.push(conversation(here, 'mqtt', address, port, clock(random, 5, 40), { sends: [10, 120], per: [3, 60] }));
    } else if (service.kind === 'ssh') {
      found.push(
        ...administers({
          ...neighbours,
          shells: [{ address, port, key: `{folder}/${device.name}/user_key` }],
          files: [],
        }),
      );
    } else if (service.kind === 'ftp' && !site.isTranslated) {
      found.push(...fetchesFiles({ ...neighbours, shells: [], files: [{ address, port }] }));
    }
  }
  return found;
}
