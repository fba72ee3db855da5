/** Alerts of an episode while it lasts. */
import { Alert, maxReturns } from '@picket/shared/contract/alert';
import { BootId, RuleId, newId } from '@picket/shared/contract/identifiers';
import { expect, test } from 'vitest';
import { scoredWindow } from '../testing/scored-windows.ts';
import { VerdictRun, outcome } from '../testing/verdict-run.ts';
import { AlertEpisodes } from './alert-episodes.ts';
import type { AlertOpening } from './episode.ts';

const opening = (at: number, isPlain = false): AlertOpening => {
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

test('an alert that came back as often as it can say is told anew, and is one that the contract takes until then', () => {
  const episodes = new AlertEpisodes(BootId.parse(newId()));
  const first = opening(0);
  const proveAt = (times: number): Alert => {
    const atUs = first.scored.context.atUs + times * 301e6;
    const context = { ...first.scored.context, atUs };
    const episode = episodes.prove({ ...first, scored: { ...first.scored, context }, sinceUs: atUs });
    return episode.takeUpdate(atUs) ?? episode.alert;
  };
  const { id } = proveAt(0);
  let last = proveAt(1);
  for (let times = 2; times <= maxReturns; times++) last = proveAt(times);
  expect([last.id, last.returns]).toEqual([id, maxReturns]);
  expect(Alert.parse(last).revision).toBe(maxReturns);
  expect(() => Alert.parse({ ...last, returns: maxReturns + 1 })).toThrow(/returns/);
  expect(() => Alert.parse({ ...last, revision: 2 ** 31 })).toThrow(/revision/);
  const anew = proveAt(maxReturns + 1);
  expect([anew.id === id, anew.returns, anew.revision]).toEqual([false, 0, 0]);
});

test('decisions that ended make room for those that hold, which an alert hears of whenever it names them', () => {
  const run = new VerdictRun().see(
    ...Array.from({ length: 12 }, (_, at) => ({ at: at * 400, says: 'port_scan' as const })),
  );
  const [held, ...others] = run.drafts;
  const episodes = new AlertEpisodes(BootId.parse(newId()), 2);
  const first = episodes.prove(opening(0));
  first.takeUpdate(0);
  episodes.addDecision(first, held!.id);
  expect(episodes.noteDecision(outcome(held!, 'failed'))).toEqual([]);
  expect(episodes.noteDecision(outcome(held!, 'verified'))).toMatchObject([{ action_taken: 'ip_blocked' }]);
  for (const [index, state] of (['refused', 'expired', 'retracted'] as const).entries()) {
    episodes.addDecision(first, others[index]!.id);
    expect(episodes.noteDecision(outcome(others[index]!, state))).toEqual([]);
  }
  const later = episodes.prove(opening(4000));
  expect(later.alert.id).not.toBe(first.alert.id);
  episodes.addDecision(later, held!.id);
  expect(later.alert).toMatchObject({ decision_ids: [held!.id], action_taken: 'ip_blocked' });
});
