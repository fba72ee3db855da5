/** Which kinds of devices there are, what they serve and what they do all day. Validation and test have kinds of their own. */
import type { Part, ServiceKind } from './site-plan.ts';
import * as habit from './habits.ts';

export interface Role {
  readonly name: string;
  /** Where the kind occurs; demo sites are like training sites. */
  readonly parts: readonly Part[];
  /** Services with the chance that a device has them. */
  readonly services: Readonly<Partial<Record<ServiceKind, number>>>;
  /** Habits with the chance that a device has them. */
  readonly habits: readonly (readonly [habit.Habit, number])[];
}

const everywhere: readonly Part[] = ['train', 'validation', 'test', 'demo'];
const common = [
  [habit.keepsTime, 0.8],
  [habit.asksNames, 0.7],
  [habit.staysInTouch, 0.5],
  [habit.announces, 0.35],
  [habit.cannotReach, 0.12],
  [habit.updates, 0.4],
] as const;

export const roles: readonly Role[] = [
  {
    name: 'camera',
    parts: everywhere,
    services: { web: 0.9, rtsp: 0.6, ssh: 0.4, telnet: 0.25, ftp: 0.2 },
    habits: [...common, [habit.uploadsPictures, 0.8], [habit.streams, 0.6], [habit.publishes, 0.3]],
  },
  {
    name: 'sensor',
    parts: everywhere,
    services: {},
    habits: [
      [habit.isMonotonous, 0.9],
      [habit.keepsTime, 0.4],
      [habit.publishes, 0.3],
      [habit.cannotReach, 0.1],
    ],
  },
  {
    name: 'plug',
    parts: everywhere,
    services: { web: 0.5, telnet: 0.1 },
    habits: [...common, [habit.publishes, 0.9]],
  },
  { name: 'thermostat', parts: everywhere, services: { web: 0.3 }, habits: [...common, [habit.reports, 0.9]] },
  {
    name: 'hub',
    parts: everywhere,
    services: { mqtt: 1, web: 1, ssh: 0.9, telnet: 0.1 },
    habits: [...common, [habit.polls, 0.9], [habit.reports, 0.7], [habit.pings, 0.3]],
  },
  {
    name: 'recorder',
    parts: everywhere,
    services: { ftp: 1, ssh: 0.9, web: 0.9 },
    habits: [...common, [habit.backsUp, 0.6], [habit.polls, 0.4], [habit.writesLogs, 0.3]],
  },
  {
    name: 'television',
    parts: ['train', 'test', 'demo'],
    services: { web: 0.3 },
    habits: [...common, [habit.watches, 0.8], [habit.reports, 0.5]],
  },
  {
    name: 'laptop',
    parts: everywhere,
    services: { ssh: 0.2 },
    habits: [
      [habit.browses, 1],
      [habit.visitsDevices, 0.5],
      [habit.administers, 0.7],
      [habit.fetchesFiles, 0.5],
      [habit.calls, 0.3],
      [habit.staysInTouch, 0.8],
      [habit.updates, 0.3],
      [habit.pings, 0.2],
    ],
  },
  {
    name: 'controller',
    parts: ['train', 'validation', 'demo'],
    services: { web: 0.7, ssh: 0.3, ftp: 0.3 },
    habits: [
      [habit.controls, 0.8],
      [habit.keepsTime, 0.6],
      [habit.writesLogs, 0.4],
      [habit.isMonotonous, 0.3],
    ],
  },
  {
    name: 'printer',
    parts: ['train'],
    services: { web: 0.9, ftp: 0.4, telnet: 0.3 },
    habits: [
      [habit.announces, 1],
      [habit.asksNames, 0.5],
      [habit.cannotReach, 0.3],
    ],
  },
  {
    name: 'meter',
    parts: ['validation', 'test'],
    services: { telnet: 0.2 },
    habits: [
      [habit.isMonotonous, 0.6],
      [habit.walks, 0.8],
      [habit.controls, 0.3],
      [habit.keepsTime, 0.5],
    ],
  },
  {
    name: 'doorbell',
    parts: ['validation'],
    services: { rtsp: 0.8, web: 0.4 },
    habits: [...common, [habit.calls, 0.6], [habit.uploadsPictures, 0.5]],
  },
  {
    name: 'speaker',
    parts: ['test'],
    services: { web: 0.4 },
    habits: [...common, [habit.watches, 0.5], [habit.announces, 1], [habit.staysInTouch, 0.9]],
  },
  {
    name: 'vacuum',
    parts: ['test'],
    services: { ssh: 0.3, telnet: 0.2 },
    habits: [...common, [habit.streams, 0.4], [habit.publishes, 0.8], [habit.uploadsPictures, 0.4]],
  },
];
