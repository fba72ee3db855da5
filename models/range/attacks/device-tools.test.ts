import { expect, test } from 'vitest';
import { planSite } from '../plan/plan-site.ts';
import { clashes } from './device-tools.ts';
import { type EpisodePlan, attacker, between, episode } from './episode.ts';
import { Random } from '../random.ts';

const site = planSite('train', 30);
const [one, other] = site.devices.filter(({ half }) => half === 'wireless');
const wired = site.devices.find(({ half }) => half === 'wired');

const by = (origin: EpisodePlan['origin'], victim: string): EpisodePlan =>
  episode({
    class: 'port_scan',
    tool: 'nmap',
    step: 'nmap',
    seconds: 10,
    origin,
    argv: ['nmap'],
    truth: [between('10.0.0.1', victim)],
    to: victim,
  });

test('two devices of one half never attack the same host at once; all others may', () => {
  expect(clashes(by(one!, '10.0.0.9'), by(other!, '10.0.0.9'))).toBe(true);
  expect(clashes(by(one!, '10.0.0.9'), by(other!, '10.0.0.8'))).toBe(false);
  expect(clashes(by(one!, '10.0.0.9'), by(wired!, '10.0.0.9'))).toBe(false);
  const random = new Random(1);
  const outside = attacker({ site, part: 'train', random, freshAddress: () => '203.0.113.1', inside: null });
  expect(clashes(by(one!, '10.0.0.9'), by(outside, '10.0.0.9'))).toBe(false);
});
