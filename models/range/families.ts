/** Every family of attacks, by name. */
import type { AttackFamily } from './attacks/attack-step.ts';
import { bruteForceFtp, bruteForceSsh } from './attacks/brute-force.ts';
import { beacon, exfiltration } from './attacks/device-infection.ts';
import { floods } from './attacks/flood.ts';
import { portScan } from './attacks/port-scan.ts';
import { slowRate } from './attacks/slow-rate.ts';
import { webSqli, webXss } from './attacks/web-injection.ts';

export const families: readonly AttackFamily[] = [
  { name: 'benign', description: 'honest life only', steps: { train: [], validation: [], demo: [] } },
  portScan,
  floods,
  bruteForceSsh,
  bruteForceFtp,
  slowRate,
  beacon,
  exfiltration,
  webSqli,
  webXss,
];

/** What the demo plays, in this order, one step of each. */
const demoOrder = [portScan, bruteForceSsh, floods, slowRate, webSqli, beacon, exfiltration];

export const demoFamily: AttackFamily = {
  name: 'demo',
  description: 'one short attack of most kinds, in a row',
  steps: { train: [], validation: [], demo: demoOrder.flatMap((family) => family.steps.demo) },
};

export function familyOf(name: string): AttackFamily {
  const family = [...families, demoFamily].find((family) => family.name === name);
  if (family === undefined) {
    throw new Error(`no scenario "${name}"; there are ${[...families, demoFamily].map((f) => f.name).join(', ')}`);
  }
  return family;
}
