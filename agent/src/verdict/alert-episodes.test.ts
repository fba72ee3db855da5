/** Alerts of an episode while it lasts. */
import { BootId, RuleId, newId } from '@picket/shared/contract/identifiers';
import { expect, test } from 'vitest';
import { scoredWindow } from '../testing/scored-windows.ts';
import { AlertEpisodes } from './alert-episodes.ts';
import type { AlertOpening } from './episode.ts';

const opening = (at: number, isPlain: boolean): AlertOpening => {
  const scored = scoredWindow({ at, says: 'ddos_flood', score: 0.6 });
  return {
    scored,
    attack: 'ddos_flood',
    offender: { kind: 'target', service: { protocol: 'tcp', port: 80 } },
    ruleId: RuleId.parse(newId()),
    alertType: 'threshold_breach',
    hits: 2,
    sinceUs: scored.context.atUs,
    isPlain,
    counted: null,
  };
};

test('an alert that its flows come to tell by themselves is plain from then on, and critical', () => {
  const episodes = new AlertEpisodes(BootId.parse(newId()));
  const seen = [false, true, false].map((isPlain, at) => {
    const { alert } = episodes.prove(opening(at, isPlain));
    return { id: alert.id, isPlain: alert.is_plain, severity: alert.severity };
  });
  expect(new Set(seen.map(({ id }) => id)).size, 'one episode').toBe(1);
  expect(seen.map(({ isPlain }) => isPlain)).toEqual([false, true, true]);
  expect(seen.map(({ severity }) => severity)).toEqual(['medium', 'critical', 'critical']);
});
