/**
 * What a rule would have done to the windows of the last days, by the very code that gateways decide with. It looks at
 * no more windows than it can in seconds, and says so where there were more.
 */
import { newId, type GatewayId, type RuleId } from '@picket/shared/contract/identifiers';
import type { Rule } from '@picket/shared/contract/rule';
import type { DryRunRequest, RuleDryRun } from '@picket/shared/contract/rule-dry-run';
import { countedAttacks } from '@picket/shared/policy/counted-flows';
import { namesClass } from '@picket/shared/policy/evidence';
import { findingsOf } from '@picket/shared/policy/measures';
import { Prevention } from '@picket/shared/policy/prevention';
import type { Restriction } from '@picket/shared/policy/restriction';
import type { RowsWanted } from '../database/keyset.ts';
import type { GatewayDirectory } from '../devices/gateway-directory.ts';
import { TooManyRequests } from '../errors.ts';
import type { DryRunRepository, PastWindow } from './dry-run-repository.ts';
import { DryRunTally } from './dry-run-tally.ts';
import { FreshWindows, flowIdsOf, judgedWindow } from './past-windows.ts';
import { isRefused } from './refused-restriction.ts';
import type { TriedRule } from './rule-service.ts';

const windowsPerChunk = 1000;
const maxWindows = 50_000;
const maxVerdicts = 5000;
const maxAtOnce = 2;
const dayMs = 86_400_000;

const caveats = [
  'Gateways report attacks in full and only a sample of benign windows: with fewer benign windows between them, attacks reach N of M sooner here than they would have.',
  'A window below the threshold that its gateway goes by was reported in full only where a rule in force then had a threshold of its own as low as its score, and otherwise as a sample: rules with a lower threshold of their own do less here than they would have.',
  'Floods of half-open connections are limited whatever their score; of those that the network did not call an attack, agents of before this release reported a sample only.',
  'Scans, floods and guessed passwords that gateways tell by counting are counted here over the windows that were reported, in which flows stand as they ended: less than a gateway counted, which saw all of them.',
  'Which windows counted as evidence is told from the ids of their flows, not from what the gateway knew.',
  'The rule is tried among the enabled rules of now: what another of them would have restricted first, or makes an exception of, is not counted.',
  "What gateways refuse is told from their policy of now, their addresses and their default routes: what a gateway's own file lists under guard, and MACs of its routers, is not known here.",
];

export interface DryRunParts {
  readonly repository: DryRunRepository;
  readonly gateways: GatewayDirectory;
  /** The rules that this gateway would be given with this one among them; undefined where it does not hold there. */
  readonly rulesWith: (tried: TriedRule, gateway: GatewayId) => Promise<readonly Rule[] | undefined>;
  /** Throws `NotFound`. */
  readonly ruleById: (id: RuleId) => Promise<TriedRule>;
  readonly now: () => Date;
}

/** One gateway's part in a dry run; undefined where the rule does not hold. */
type Replay =
  | {
      readonly prevention: Prevention;
      readonly rules: readonly Rule[];
      readonly isRefused: (restriction: Pick<Restriction, 'scope' | 'value'>) => boolean;
    }
  | undefined;

export class DryRunService {
  readonly #parts: DryRunParts;
  #running = 0;

  constructor(parts: DryRunParts) {
    this.#parts = parts;
  }

  /** Throws `TooManyRequests` while others run, `NotFound` for an unknown rule. */
  async run(
    request: DryRunRequest,
    page: RowsWanted,
  ): Promise<Omit<RuleDryRun, 'next_cursor'> & { next: string[] | null }> {
    if (this.#running >= maxAtOnce) {
      throw new TooManyRequests('two dry runs are under way already; ask again in a few seconds', { retryAfter: 5 });
    }
    this.#running += 1;
    try {
      return await this.#run(request, page);
    } finally {
      this.#running -= 1;
    }
  }

  async #run(request: DryRunRequest, page: RowsWanted): ReturnType<DryRunService['run']> {
    const { repository, now } = this.#parts;
    const rule: TriedRule =
      'rule' in request
        ? { ...request.rule, id: newId() as RuleId, created_at: now().toISOString() }
        : await this.#parts.ruleById(request.rule_id);
    const from = new Date(now().getTime() - request.days * dayMs).toISOString();
    const tally = new DryRunTally(
      await repository.falseAlerts(from, maxVerdicts),
      await repository.releasedDecisions(from, maxVerdicts),
    );
    const fresh = new FreshWindows();
    const replays = new Map<string, Replay>();
    const counts = { windows: 0, windows_without_flows: 0, proven: 0 };
    let last: PastWindow | undefined;
    let isTruncated = false;
    for (;;) {
      const rows = await repository.windows(from, last && [last.recorded_at, last.id], windowsPerChunk);
      for (const [gateway, windows] of Map.groupBy(rows, (row) => row.gateway_id)) {
        if (!replays.has(gateway)) replays.set(gateway, await this.#replayOf(rule, gateway as GatewayId));
        const replay = replays.get(gateway);
        if (replay !== undefined) await this.#judge(replay, rule, windows, fresh, tally, counts);
      }
      last = rows.at(-1) ?? last;
      counts.windows += rows.length;
      if (rows.length < windowsPerChunk) break;
      isTruncated = counts.windows >= maxWindows;
      if (isTruncated) break;
    }
    const entries = tally.entries();
    const shown = pageOf(entries, page);
    return {
      summary: {
        ...counts,
        from,
        until: isTruncated && last !== undefined ? last.recorded_at : now().toISOString(),
        truncated: isTruncated,
        restrictions: entries.length + tally.left,
        times: tally.times,
        false_times: tally.falseTimes,
        refused_times: tally.refusedTimes,
        caveats,
      },
      ...shown,
    };
  }

  async #judge(
    { prevention, rules, isRefused }: NonNullable<Replay>,
    rule: TriedRule,
    windows: readonly PastWindow[],
    fresh: FreshWindows,
    tally: DryRunTally,
    counts: { windows_without_flows: number; proven: number },
  ): Promise<void> {
    const gateway = windows[0]?.gateway_id ?? '';
    // what is plain from its flows is so whatever its score; floods are among what is counted
    const isPlainAsked = rules.some(
      (one) => one.is_enabled && [...countedAttacks].some((attack) => namesClass(one, attack)),
    );
    const hot = windows.filter(
      ({ score, threshold }) => isPlainAsked || rules.some((one) => score >= (one.threshold ?? threshold)),
    );
    const flows = await this.#parts.repository.flows(gateway, [
      ...new Set(hot.flatMap((window) => flowIdsOf(window.flow_ids))),
    ]);
    for (const window of windows) {
      const judged = judgedWindow(window, flows, fresh.countsAsEvidence(window));
      const proven = prevention.weigh(judged);
      const isMet = proven.some((one) => one.rule.id === rule.id);
      if (isMet) counts.proven += 1;
      if (judged.flows.length === 0) {
        if (isMet) counts.windows_without_flows += 1;
        continue;
      }
      for (const measure of findingsOf(proven).flatMap((finding) => prevention.act(judged, finding).taken)) {
        const isWanted = measure.rule.id === rule.id;
        if (isRefused(measure.restriction)) {
          prevention.forget(measure.restriction); // as a gateway does: it is asked for again
          if (isWanted) tally.noteRefused();
        } else if (isWanted) tally.add(measure, window);
      }
    }
  }

  async #replayOf(rule: TriedRule, id: GatewayId): Promise<Replay> {
    const rules = await this.#parts.rulesWith(rule, id);
    const known = (await this.#parts.gateways.enrolled()).find((gateway) => gateway.id === id);
    if (rules === undefined) return undefined;
    const own = new Set(known?.addresses);
    const isRefusedThere = (restriction: Pick<Restriction, 'scope' | 'value'>): boolean =>
      isRefused(restriction, known ?? unknownGateway);
    const prevention = new Prevention({
      rules,
      ownAddresses: () => own,
      isGuarded: (scope, value) => isRefusedThere({ scope, value }),
    });
    return { prevention, rules, isRefused: isRefusedThere };
  }
}

/** One that is no longer enrolled: its windows are there, what it guarded is not known. */
const unknownGateway = {
  addresses: [],
  defaultRoutes: [],
  broadcasts: [],
  guard: { admin_prefixes: [], management_ports: [], never_block: [] },
};

function pageOf(
  entries: ReturnType<DryRunTally['entries']>,
  { limit, offset, after }: RowsWanted,
): Pick<RuleDryRun, 'items'> & { next: string[] | null } {
  const [times = '', key = ''] = after ?? [];
  const begin =
    after === undefined
      ? offset
      : entries.findIndex((entry) => entry.key[0] < times || (entry.key[0] === times && entry.key[1] > key));
  const shown = begin < 0 ? [] : entries.slice(begin, begin + limit);
  const last = shown.at(-1);
  const isMore = begin >= 0 && begin + limit < entries.length && last !== undefined;
  return { items: shown.map(({ item }) => item), next: isMore ? [...last.key] : null };
}
