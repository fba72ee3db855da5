import { expect, test } from 'vitest';
import { defaultRules } from '@picket/shared/policy/default-rules';
import { byPrecedence } from './rule-precedence.ts';

type Given = Parameters<typeof byPrecedence>[0][number];

const base = { device: null, device_type: null, gateway_id: null, created_at: '2026-01-01T00:00:00.000Z' } as const;
const rule = (id: string, more: object = {}): Given => ({ ...base, id, ...more }) as Given;

test('the narrowest rule comes first, of equals the newest, and the default rules last in their own order', () => {
  const defaults = defaultRules.map(({ id }) => rule(id));
  const ours = [
    rule('old', { created_at: '2026-02-01T00:00:00.000Z' }),
    rule('new', { created_at: '2026-03-01T00:00:00.000Z' }),
    rule('gateway', { gateway_id: 'hall-1' }),
    rule('cameras', { device_type: 'camera' }),
    rule('cameras here', { device_type: 'camera', gateway_id: 'hall-1' }),
    rule('one device', { device: '192.168.1.20' }),
  ];
  const wanted = ['one device', 'cameras here', 'cameras', 'gateway', 'new', 'old', ...defaults.map(({ id }) => id)];
  expect(byPrecedence([...defaults, ...ours]).map(({ id }) => id)).toEqual(wanted);
  expect(byPrecedence([...ours.toReversed(), ...defaults]).map(({ id }) => id)).toEqual(wanted);
});
