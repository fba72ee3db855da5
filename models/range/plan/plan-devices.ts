/** The devices of a site: kinds, addresses, services with the programs behind them, filters and stacks. */
import type { Random } from '../random.ts';
import { roles } from './roles.ts';
import type { DevicePlan, Part, PortFilter, ServiceKind, ServicePlan } from './site-plan.ts';

/** Validation and test are served by programs that training never met. */
export const software: Readonly<Record<ServiceKind, Readonly<Record<Part, readonly ServicePlan['software'][]>>>> = {
  ssh: { train: ['openssh'], validation: ['openssh', 'dropbear'], test: ['dropbear', 'openssh'], demo: ['openssh'] },
  ftp: { train: ['vsftpd'], validation: ['vsftpd', 'pyftpdlib'], test: ['pyftpdlib', 'vsftpd'], demo: ['vsftpd'] },
  web: { train: ['nginx'], validation: ['nginx', 'lighttpd'], test: ['lighttpd', 'nginx'], demo: ['nginx'] },
  mqtt: { train: ['mosquitto'], validation: ['mosquitto'], test: ['mosquitto'], demo: ['mosquitto'] },
  telnet: { train: ['own'], validation: ['own'], test: ['own'], demo: ['own'] },
  rtsp: { train: ['own'], validation: ['own'], test: ['own'], demo: ['own'] },
};
export const usualPort: Readonly<Record<ServiceKind, number>> = {
  ssh: 22,
  ftp: 21,
  web: 80,
  mqtt: 1883,
  telnet: 23,
  rtsp: 554,
};
const filters: readonly PortFilter[] = ['reset', 'reset', 'reset', 'drop', 'drop', 'half', 'tarpit'];

export function planDevices(part: Part, isTranslated: boolean, random: Random): DevicePlan[] {
  const kinds = roles.filter((role) => role.parts.includes(part));
  const wanted = ['hub', 'camera', 'recorder', 'laptop', 'sensor', 'sensor'];
  const count = part === 'demo' ? 6 : random.integer(7, 15);
  while (wanted.length < count) wanted.push(random.pick(kinds).name);
  const hosts = new Set<number>();
  const taken = new Set<number>();
  return wanted.map((name, index) => {
    const role = roles.find((candidate) => candidate.name === name)!;
    let host = 0;
    do host = random.integer(2, 239);
    while (hosts.has(host));
    hosts.add(host);
    const services = Object.entries(role.services).flatMap(([kind, likelihood]): ServicePlan[] => {
      if (random.next() >= likelihood) return [];
      const service = kind as ServiceKind;
      const port = usualPort[service];
      return [
        {
          kind: service,
          software: random.pick(software[service][part]),
          port,
          forwardedPort: forward(port, isTranslated, taken, random),
        },
      ];
    });
    return {
      name: `${name}${index}`,
      role: name,
      host,
      half: ['hub', 'recorder', 'controller', 'printer'].includes(name) || random.next() < 0.3 ? 'wired' : 'wireless',
      services,
      filter: random.pick(filters),
      stack: {
        hopLimit: random.pick([64, 64, 64, 128, 255]),
        segment: random.pick([1460, 1460, 1440, 1400, 1360, 536]),
        window: random.pick([0, 0, 5840, 14_600, 29_200, 65_535]),
        initialSegments: random.pick([0, 2, 4, 10]),
      },
    };
  });
}

/** Most forwarded services keep their port; a second one, and some cautious owners, take another. */
function forward(port: number, isTranslated: boolean, taken: Set<number>, random: Random): number | null {
  if (!isTranslated || random.next() < 0.35) return null;
  let outer = random.next() < 0.75 ? port : random.integer(1024, 49_000);
  while (taken.has(outer)) outer = random.integer(1024, 49_000);
  taken.add(outer);
  return outer;
}
