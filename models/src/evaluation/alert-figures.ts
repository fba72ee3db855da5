/** Figures over what a person sees: episodes alerted, false alerts per gateway and day, captures as a whole. */
import { trafficClasses } from '@picket/shared/features/traffic-classes';
import type { ToolSeenIn } from '../data-description.ts';
import { windowAt } from '../dataset/evaluation-windows.ts';
import { labelWindow } from '../dataset/label-window.ts';
import type { Dataset, WindowSequence } from '../dataset/flow-rows.ts';
import { presentFlows } from '../dataset/window-mixes.ts';
import { classCount } from '../network/network-parameters.ts';
import { afterQuiet, alertCount, asTold, isTrue } from './alarms.ts';
import type { Proof, ProofsOf, ScoredSequence } from './alarms.ts';
import type { CaptureFigures, EpisodeFigures, QuietFigures } from './evaluation.ts';

type Part = EpisodeFigures['part'];

interface EpisodeOutcome {
  /** Seconds to the first proof. */
  seconds: number;
  /** That held any of it until then. */
  windows: number;
  /** How often each class was named. */
  readonly votes: Map<number, number>;
}

/** What became of each episode that is alerted, by its number. */
export function episodeOutcomes(
  dataset: Dataset,
  scored: readonly ScoredSequence[],
  proofsOf: ProofsOf,
): Map<number, EpisodeOutcome> {
  const outcomes = new Map<number, EpisodeOutcome>();
  for (const one of scored) {
    for (const proof of proofsOf(one)) {
      for (const episode of toldOf(dataset, one.sequence, proof)) {
        const seconds = (proof.atUs - dataset.episodes[episode]!.fromUs) / 1e6;
        const known = outcomes.get(episode);
        const outcome = known ?? { seconds, windows: 0, votes: new Map<number, number>() };
        outcomes.set(episode, outcome);
        if (known === undefined || seconds < known.seconds) {
          outcome.seconds = seconds;
          outcome.windows = windowsUntil(dataset, one.sequence, episode, proof.windows.at(-1) ?? 0);
        }
        outcome.votes.set(proof.attack, (outcome.votes.get(proof.attack) ?? 0) + 1);
      }
    }
  }
  return outcomes;
}

export function episodeFigures(
  dataset: Dataset,
  scored: readonly ScoredSequence[],
  part: Part,
  proofsOf: ProofsOf,
  seenIn: (tool: string) => ToolSeenIn,
): EpisodeFigures[] {
  const outcomes = episodeOutcomes(dataset, scored, proofsOf);
  const ofPart = [...dataset.episodes.entries()].filter(([, episode]) => episode.part === part && episode.fromUs > 0);
  const groups = Map.groupBy(ofPart, ([, episode]) => `${episode.source}\n${episode.class}\n${episode.tool}`);
  return [...groups].map(([key, members]) => {
    const [source = '', name = '', tool = ''] = key.split('\n');
    const wanted = trafficClasses.findIndex((trafficClass) => trafficClass === name);
    const alerted = members.flatMap(([number]) => outcomes.get(number) ?? []);
    return {
      source,
      part,
      class: name,
      tool,
      tool_seen_in: seenIn(tool),
      episodes: members.length,
      alerted: alerted.length,
      named: alerted.filter(({ votes }) => [...votes].every(([, count]) => count <= (votes.get(wanted) ?? 0))).length,
      median_seconds: median(alerted.map(({ seconds }) => seconds)),
      median_windows: median(alerted.map(({ windows }) => windows)),
    };
  });
}

/** Windows of the stretch up to number `last`, that one included, that hold any flow of the episode. */
function windowsUntil({ rows }: Dataset, sequence: WindowSequence, episode: number, last: number): number {
  let windows = 0;
  for (let number = 0; number <= last; number++) {
    if (windowAt(sequence, number).some((row) => row >= 0 && rows.episodes[row] === episode)) windows += 1;
  }
  return windows;
}

/**
 * The episodes that a proof speaks of: in one of its windows no other has more flows, or it has some and the proof names
 * its class. An attack that merely happens beside a louder one is not found by it.
 */
function toldOf({ rows, episodes }: Dataset, sequence: WindowSequence, proof: Proof): Set<number> {
  const told = new Set<number>();
  for (const number of proof.windows) {
    const counts = new Map<number, number>();
    for (const row of presentFlows(windowAt(sequence, number))) {
      const episode = rows.episodes[row]!;
      if (episode >= 0) counts.set(episode, (counts.get(episode) ?? 0) + 1);
    }
    const most = Math.max(...counts.values());
    for (const [episode, count] of counts) {
      if (count === most || episodes[episode]!.class === trafficClasses[proof.attack]) told.add(episode);
    }
  }
  return told;
}

/** Per source: gateways in peace, and gateways under attack between its attacks. */
export function quietFigures(
  dataset: Dataset,
  scored: readonly ScoredSequence[],
  part: Part,
  proofsOf: ProofsOf,
): QuietFigures[] {
  const falseAlerts = new Map<string, { afterQuiet: number; told: number }>();
  for (const one of scored) {
    const { sequence } = one;
    const proofs = proofsOf(one);
    const isFalse = (proof: Proof): boolean => !isTrue(proof, sequence, dataset.rows);
    const key = `${sequence.source}\n${sequence.capture}`;
    const sums = falseAlerts.get(key) ?? { afterQuiet: 0, told: 0 };
    falseAlerts.set(key, sums);
    sums.afterQuiet += alertCount(proofs, afterQuiet, isFalse);
    sums.told += alertCount(proofs, asTold, isFalse);
  }
  const listenings = dataset.listenings.filter((listening) => listening.part === part);
  const groups = Map.groupBy(listenings, ({ source, isAttacked, view }) => `${source}\n${isAttacked}\n${view}`);
  return [...groups.values()].map((members) => {
    const hours = members.reduce((sum, { seconds }) => sum + seconds, 0) / 3600;
    const sumOf = (count: 'afterQuiet' | 'told'): number =>
      members.reduce((sum, { source, capture }) => sum + (falseAlerts.get(`${source}\n${capture}`)?.[count] ?? 0), 0);
    const [alerts, told] = [sumOf('afterQuiet'), sumOf('told')];
    const days = Math.max(hours / 24, 1e-9);
    return {
      source: members[0]!.source,
      part,
      attacked: members[0]!.isAttacked,
      view: members[0]!.view,
      gateway_hours: hours,
      flows: members.reduce((sum, { flows }) => sum + flows, 0),
      false_alerts: alerts,
      per_gateway_day: alerts / days,
      at_most_per_gateway_day: poissonUpperBound(alerts) / days,
      told: {
        false_alerts: told,
        per_gateway_day: told / days,
        at_most_per_gateway_day: poissonUpperBound(told) / days,
      },
    };
  });
}

/** Captures without times of attacks: all of one is an attack, or none of it. */
export function captureFigures(
  dataset: Dataset,
  scored: readonly ScoredSequence[],
  threshold: number,
  proofsOf: ProofsOf,
): CaptureFigures[] {
  const timed = new Set(dataset.episodes.filter(({ fromUs }) => fromUs > 0).map(({ source }) => source));
  const bySource = Map.groupBy(scored, ({ sequence }) => `${sequence.source}\n${sequence.capture}`);
  return dataset.listenings
    .filter(({ source, part }) => part === 'test' && !timed.has(source))
    .map(({ source, capture, flows, isAttacked }) => {
      const members = bySource.get(`${source}\n${capture}`) ?? [];
      const scores = members.flatMap(({ sequence, probabilities }) =>
        Array.from(sequence.counts.keys()).flatMap((number) =>
          labelWindow(dataset.rows, windowAt(sequence, number)) === undefined
            ? []
            : [1 - probabilities[number * classCount]!],
        ),
      );
      return {
        source,
        capture,
        attack: isAttacked,
        flows,
        windows: scores.length,
        alarmed_windows: scores.filter((score) => score >= threshold).length,
        highest_score: scores.reduce((most, score) => Math.max(most, score), 0),
        alerted: members.some((one) => proofsOf(one).length > 0),
      };
    });
}

/** The largest mean that would still give as few as `count` events in one case of twenty. */
export function poissonUpperBound(count: number): number {
  let low = count;
  let high = 3 * count + 10;
  for (let round = 0; round < 60; round++) {
    const mean = (low + high) / 2;
    let term = Math.exp(-mean);
    let sum = term;
    for (let k = 1; k <= count; k++) {
      term *= mean / k;
      sum += term;
    }
    if (sum > 0.05) low = mean;
    else high = mean;
  }
  return high;
}

function median(values: readonly number[]): number | null {
  if (values.length === 0) return null;
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
