import { expect, test } from 'vitest';
import { camera } from '../testing/judged-flows.ts';
import { rule, talk, times, window } from '../testing/prevention-gateway.ts';
import { Evidence } from './evidence.ts';

test('an attack is called what the newest window can be, whatever those before it were', () => {
  const evidence = new Evidence();
  const guesses = times(10, () => ({ ...talk, dstPort: 22 }));
  const pages = times(10, () => ({ ...talk, dstPort: 80 }));
  const any = rule({ classes: [], min_windows: 3, of_windows: 5 });
  evidence.add(window(0, 'brute_force_ssh', guesses));
  evidence.add(window(1, 'brute_force_ssh', guesses));
  evidence.add(window(2, 'ddos_flood', pages));
  expect(evidence.prove(any, camera)).toMatchObject({ hits: 3, attack: 'ddos_flood' });
  evidence.add(window(3, 'brute_force_ssh', [...guesses.slice(5), ...pages.slice(5)]));
  expect(evidence.prove(any, camera)).toMatchObject({ hits: 4, attack: 'brute_force_ssh' });
});
