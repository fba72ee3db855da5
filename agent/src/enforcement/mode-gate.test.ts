import { expect, test } from 'vitest';
import { passModeGate } from './mode-gate.ts';

test.each([
  ['observe', 'observe', 'observe'],
  ['observe', 'simulate', 'observe'],
  ['observe', 'enforce', 'observe'],
  ['simulate', 'observe', 'observe'],
  ['simulate', 'simulate', 'simulate'],
  ['simulate', 'enforce', 'simulate'],
  ['enforce', 'observe', 'observe'],
  ['enforce', 'simulate', 'simulate'],
  ['enforce', 'enforce', 'enforce'],
] as const)('%s asked of a gateway that may %s becomes %s', (asked, gateway, passed) => {
  expect(passModeGate(asked, gateway)).toBe(passed);
});
