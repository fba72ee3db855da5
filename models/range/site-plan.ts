/** The sites of the range as data: who lives there, under which addresses, how fast the lines are, how people behave. */

export type Service = 'ssh' | 'ftp' | 'web' | 'mqtt';
type Role = 'camera' | 'hub' | 'recorder' | 'sensor' | 'plug' | 'thermostat' | 'controller';

export interface DevicePlan {
  readonly name: string;
  readonly role: Role;
  /** Last number of its address. */
  readonly host: number;
  readonly services: readonly Service[];
  readonly megabitsPerSecond: number;
}

export interface SitePlan {
  readonly name: string;
  /** The first three numbers of the LAN, a /24. */
  readonly lan: string;
  readonly devices: readonly DevicePlan[];
  /** The WAN line seen from the site. */
  readonly downMegabits: number;
  readonly upMegabits: number;
  /** Mean pauses are multiplied by this: below 1 is a busy site. */
  readonly pace: number;
  /** Pictures, pages, files and firmware are this large, compared to a household of today. */
  readonly volume: number;
  readonly people: { readonly browsing: boolean; readonly adminLogins: boolean; readonly fileTransfers: boolean };
}

const device = (
  name: string,
  role: Role,
  host: number,
  services: readonly Service[],
  megabitsPerSecond: number,
): DevicePlan => ({ name, role, host, services, megabitsPerSecond });

/** Addresses outside: documentation ranges, so that a capture names nobody. */
export const outside = {
  cloud: '198.51.100.10',
  web: '198.51.100.14',
  time: '198.51.100.12',
  names: '198.51.100.53',
  /** What an infected device reports to, and where stolen data goes: never used by honest clients. */
  control: '198.51.100.66',
  drop: '198.51.100.77',
  people: ['203.0.113.20', '203.0.113.21', '203.0.113.22'],
  attackers: ['192.0.2.66', '192.0.2.131', '203.0.113.166'],
} as const;

export const sitePlans: readonly SitePlan[] = [
  {
    name: 'home',
    lan: '192.168.1',
    devices: [
      device('camera', 'camera', 20, ['web', 'ssh'], 24),
      device('hub', 'hub', 2, ['mqtt', 'web', 'ssh'], 80),
      device('nas', 'recorder', 30, ['ftp', 'ssh', 'web'], 90),
      device('sensor', 'sensor', 41, [], 6),
      device('plug', 'plug', 42, ['web'], 8),
      device('heating', 'thermostat', 43, [], 8),
    ],
    downMegabits: 40,
    upMegabits: 8,
    pace: 1,
    volume: 1,
    people: { browsing: true, adminLogins: true, fileTransfers: true },
  },
  {
    name: 'plant',
    lan: '10.20.30',
    devices: [
      device('press', 'controller', 11, ['web', 'ssh'], 90),
      device('oven', 'controller', 12, ['web', 'ftp'], 90),
      device('broker', 'hub', 5, ['mqtt', 'ssh', 'web'], 90),
      device('archive', 'recorder', 6, ['ftp', 'ssh', 'web'], 90),
      device('level', 'sensor', 101, [], 4),
      device('flow', 'sensor', 102, [], 4),
      device('gate', 'camera', 60, ['web', 'ssh'], 50),
    ],
    downMegabits: 20,
    upMegabits: 20,
    pace: 0.5,
    volume: 0.5,
    people: { browsing: true, adminLogins: true, fileTransfers: true },
  },
  {
    name: 'clinic',
    lan: '172.16.5',
    devices: [
      device('monitor', 'controller', 120, ['web', 'ssh'], 45),
      device('station', 'hub', 10, ['mqtt', 'web', 'ssh'], 70),
      device('files', 'recorder', 11, ['ftp', 'ssh', 'web'], 70),
      device('fridge', 'sensor', 201, [], 5),
      device('door', 'camera', 90, ['web', 'ssh'], 30),
      device('airing', 'thermostat', 202, ['web'], 10),
    ],
    downMegabits: 60,
    upMegabits: 12,
    pace: 0.75,
    volume: 0.6,
    people: { browsing: true, adminLogins: true, fileTransfers: true },
  },
  {
    name: 'kiosk',
    lan: '10.77.1',
    devices: [
      device('till', 'hub', 10, ['mqtt', 'web', 'ssh'], 60),
      device('eye', 'camera', 33, ['web', 'ssh'], 12),
      device('store', 'recorder', 34, ['ftp', 'ssh', 'web'], 60),
      device('cooler', 'sensor', 77, [], 3),
      device('sign', 'plug', 78, ['web'], 6),
    ],
    downMegabits: 10,
    upMegabits: 3,
    pace: 1.3,
    volume: 0.15,
    people: { browsing: true, adminLogins: true, fileTransfers: true },
  },
  {
    name: 'demo',
    lan: '192.168.77',
    devices: [
      device('camera', 'camera', 20, ['web', 'ssh'], 40),
      device('hub', 'hub', 2, ['mqtt', 'web', 'ssh'], 80),
      device('nas', 'recorder', 30, ['ftp', 'ssh', 'web'], 90),
      device('sensor', 'sensor', 41, [], 8),
    ],
    downMegabits: 40,
    upMegabits: 10,
    pace: 1.3,
    volume: 0.05,
    people: { browsing: true, adminLogins: true, fileTransfers: false },
  },
];

export function sitePlanOf(name: string): SitePlan {
  const plan = sitePlans.find((plan) => plan.name === name);
  if (plan === undefined) {
    throw new Error(`no site "${name}"; there are ${sitePlans.map((plan) => plan.name).join(', ')}`);
  }
  return plan;
}
