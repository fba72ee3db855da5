/** Which kinds of devices there are, what they serve and what they do all day. Validation and test have kinds of their own. */
import type { Part, ServiceKind } from './site-plan.ts';
import * as device from './device-habits.ts';
import type { Habit } from './neighbourhood.ts';
import * as people from './people-habits.ts';

export interface Role {
  readonly name: string;
  /** Where the kind occurs; demo sites are like training sites. */
  readonly parts: readonly Part[];
  /** Services with the chance that a device has them. */
  readonly services: Readonly<Partial<Record<ServiceKind, number>>>;
  /** Habits with the chance that a device has them. */
  readonly habits: readonly (readonly [Habit, number])[];
}

const everywhere: readonly Part[] = ['train', 'validation', 'test', 'demo'];
const common = [
  [device.keepsTime, 0.8],
  [device.asksNames, 0.7],
  [device.staysInTouch, 0.5],
  [device.announces, 0.35],
  [device.cannotReach, 0.12],
  [device.updates, 0.4],
] as const;

export const roles: readonly Role[] = [
  {
    name: 'camera',
    parts: everywhere,
    services: { web: 0.9, rtsp: 0.6, ssh: 0.4, telnet: 0.25, ftp: 0.2 },
    habits: [...common, [device.uploadsPictures, 0.8], [device.streams, 0.6], [device.publishes, 0.3]],
  },
  {
    name: 'sensor',
    parts: everywhere,
    services: {},
    habits: [
      [device.isMonotonous, 0.9],
      [device.keepsTime, 0.4],
      [device.publishes, 0.3],
      [device.cannotReach, 0.1],
    ],
  },
  {
    name: 'plug',
    parts: everywhere,
    services: { web: 0.5, telnet: 0.1 },
    habits: [...common, [device.publishes, 0.9]],
  },
  { name: 'thermostat', parts: everywhere, services: { web: 0.3 }, habits: [...common, [device.reports, 0.9]] },
  {
    name: 'hub',
    parts: everywhere,
    services: { mqtt: 1, web: 1, ssh: 0.9, telnet: 0.1 },
    habits: [...common, [device.polls, 0.9], [device.reports, 0.7], [people.pings, 0.3]],
  },
  {
    name: 'recorder',
    parts: everywhere,
    services: { ftp: 1, ssh: 0.9, web: 0.9 },
    habits: [...common, [device.backsUp, 0.6], [device.polls, 0.4], [device.writesLogs, 0.3]],
  },
  {
    name: 'television',
    parts: ['train', 'test', 'demo'],
    services: { web: 0.3 },
    habits: [...common, [people.watches, 0.8], [device.reports, 0.5]],
  },
  {
    name: 'laptop',
    parts: everywhere,
    services: { ssh: 0.2 },
    habits: [
      [people.browses, 1],
      [people.visitsDevices, 0.5],
      [people.administers, 0.7],
      [people.fetchesFiles, 0.5],
      [people.calls, 0.3],
      [device.staysInTouch, 0.8],
      [device.updates, 0.3],
      [people.pings, 0.2],
    ],
  },
  {
    name: 'controller',
    parts: ['train', 'validation', 'demo'],
    services: { web: 0.7, ssh: 0.3, ftp: 0.3 },
    habits: [
      [device.controls, 0.8],
      [device.keepsTime, 0.6],
      [device.writesLogs, 0.4],
      [device.isMonotonous, 0.3],
    ],
  },
  {
    name: 'printer',
    parts: ['train'],
    services: { web: 0.9, ftp: 0.4, telnet: 0.3 },
    habits: [
      [device.announces, 1],
      [device.asksNames, 0.5],
      [device.cannotReach, 0.3],
    ],
  },
  {
    name: 'meter',
    parts: ['validation', 'test'],
    services: { telnet: 0.2 },
    habits: [
      [device.isMonotonous, 0.6],
      [device.walks, 0.8],
      [device.controls, 0.3],
      [device.keepsTime, 0.5],
    ],
  },
  {
    name: 'doorbell',
    parts: ['validation'],
    services: { rtsp: 0.8, web: 0.4 },
    habits: [...common, [people.calls, 0.6], [device.uploadsPictures, 0.5]],
  },
  {
    name: 'speaker',
    parts: ['test'],
    services: { web: 0.4 },
    habits: [...common, [people.watches, 0.5], [device.announces, 1], [device.staysInTouch, 0.9]],
  },
  {
    name: 'vacuum',
    parts: ['test'],
    services: { ssh: 0.3, telnet: 0.2 },
    habits: [...common, [device.streams, 0.4], [device.publishes, 0.8], [device.uploadsPictures, 0.4]],
  },
];
