/** What an infected device sends out: beacons to whoever controls it, and what it stole. Scripts, for there is no tool. */
import { fileURLToPath } from 'node:url';
import type { TrafficClass } from '@picket/shared/features/traffic-classes';
import type { Conversation } from '../programs/talker.ts';
import { outside } from '../site-plan.ts';
import { type AttackFamily, type AttackStep, between } from './attack-step.ts';

const talker = fileURLToPath(new URL('../programs/talker.ts', import.meta.url));
type Kind = Exclude<Conversation['kind'], 'time'>;

const talks = (
  label: Extract<TrafficClass, 'botnet_beacon' | 'data_exfiltration'>,
  kind: Kind,
  everyMs: number,
  jitter: number,
  sends: readonly [number, number],
  asks: readonly [number, number],
  { seconds = 30, isKept = false, port = 0 } = {},
): AttackStep => ({
  name: `${kind}${isKept ? ' kept' : ''} every ${everyMs} ms ±${jitter * 100} %, ${sends.join('-')} B out, ${asks.join('-')} B in`,
  class: label,
  seconds,
  command: ({ site, random }) => {
    const infected = random.pick(site.devices);
    const host = label === 'botnet_beacon' ? outside.control : outside.drop;
    const usual = { http: random.pick([80, 8080]), tcp: 4444, 'tcp-kept': 4444, name: 53, announce: 4444 } as const;
    const conversation: Conversation = {
      kind,
      host,
      port: port === 0 ? usual[kind] : port,
      everyMs,
      jitter,
      sends,
      asks,
      isKept,
      seed: random.integer(1, 1e9),
    };
    return {
      from: infected,
      argv: [process.execPath, '--no-warnings', talker, JSON.stringify([conversation])],
      truth: [between(infected.address, host)],
    };
  },
});

export const beacon: AttackFamily = {
  name: 'beacon',
  description: 'an infected device reports to its controller: fixed and jittered, HTTP, TCP, DNS',
  steps: {
    train: [
      talks('botnet_beacon', 'http', 1000, 0, [0, 0], [20, 60]),
      talks('botnet_beacon', 'http', 2000, 0.3, [40, 120], [10, 80]),
      talks('botnet_beacon', 'http', 500, 0.1, [0, 0], [2, 20]),
      talks('botnet_beacon', 'tcp', 1500, 0, [16, 32], [0, 0]),
      talks('botnet_beacon', 'tcp', 3000, 0.5, [32, 64], [0, 0], { seconds: 40 }),
      talks('botnet_beacon', 'tcp-kept', 1000, 0.1, [8, 24], [0, 0]),
      talks('botnet_beacon', 'name', 1000, 0.1, [30, 45], [0, 0]),
      talks('botnet_beacon', 'name', 2500, 0.6, [61, 70], [0, 0], { seconds: 40 }),
      talks('botnet_beacon', 'tcp', 800, 0.05, [60, 90], [0, 0], { port: 80 }),
    ],
    validation: [
      talks('botnet_beacon', 'http', 1500, 0.15, [0, 40], [15, 50]),
      talks('botnet_beacon', 'tcp', 1000, 0.25, [20, 48], [0, 0]),
      talks('botnet_beacon', 'tcp-kept', 1700, 0.2, [12, 30], [0, 0]),
      talks('botnet_beacon', 'name', 1600, 0.3, [35, 66], [0, 0]),
      talks('botnet_beacon', 'http', 3500, 0.05, [0, 0], [10, 30], { seconds: 40 }),
    ],
    demo: [talks('botnet_beacon', 'http', 800, 0.1, [0, 0], [20, 60], { seconds: 12 })],
  },
};

export const exfiltration: AttackFamily = {
  name: 'exfiltration',
  description: 'an infected device sends data away: bulk, drip, and hidden in names',
  steps: {
    train: [
      talks('data_exfiltration', 'http', 2500, 0.2, [1_500_000, 3_000_000], [10, 40]),
      talks('data_exfiltration', 'http', 1000, 0.3, [200_000, 500_000], [10, 40]),
      talks('data_exfiltration', 'http', 2000, 0.5, [30_000, 90_000], [10, 40]),
      talks('data_exfiltration', 'tcp', 3000, 0.2, [800_000, 2_000_000], [0, 0]),
      talks('data_exfiltration', 'tcp', 1500, 0.4, [60_000, 250_000], [0, 0]),
      talks('data_exfiltration', 'tcp-kept', 600, 0.3, [20_000, 60_000], [0, 0]),
      talks('data_exfiltration', 'name', 120, 0.3, [61, 75], [0, 0]),
      talks('data_exfiltration', 'http', 800, 0.2, [100_000, 160_000], [10, 40], { isKept: true }),
    ],
    validation: [
      talks('data_exfiltration', 'http', 1800, 0.3, [600_000, 1_200_000], [10, 30]),
      talks('data_exfiltration', 'http', 1500, 0.4, [50_000, 140_000], [10, 30]),
      talks('data_exfiltration', 'tcp', 2000, 0.3, [300_000, 900_000], [0, 0]),
      talks('data_exfiltration', 'tcp-kept', 900, 0.4, [30_000, 80_000], [0, 0]),
      talks('data_exfiltration', 'name', 200, 0.4, [61, 70], [0, 0]),
    ],
    demo: [talks('data_exfiltration', 'http', 2000, 0.2, [60_000, 120_000], [10, 40], { seconds: 12 })],
  },
};
