/**
 * By which clock a decision ends. Its end is stored as time since boot, which no setting of the clock moves. After a reboot
 * the time left is what was left when the machine was last seen running, less what the wall clock says has passed since; and
 * where the wall clock later says that a decision's time is over, it is over. So no end is ever put off.
 */
import type { Decision } from '@picket/shared/contract/decision';
import type { DecisionEnd } from './decision-file.ts';
import type { DecisionRow, LifeRow } from './decision-rows.ts';
import { shiftDecision } from './shift-decision.ts';
import type { SteadyClock } from './steady-clock.ts';
import { restoreEnd } from './time-left.ts';

const sameEndMs = 1000;

export class DecisionEnds {
  readonly #clock: SteadyClock | undefined;
  /** Of decisions restored after a reboot: their end by the wall clock, milliseconds since 1970. */
  readonly #unsure = new Map<string, number>();
  /** What the wall clock has more than the decisions, as their ends on disk were written by; 0 as long as it was not set. */
  #storedSkewMs = 0;

  /** Without a clock they end by their own text, whatever happens to clocks. */
  constructor(clock: SteadyClock | undefined) {
    this.#clock = clock;
  }

  /** Ids of decisions that were restored after a reboot and whose end has passed by the wall clock. */
  overdue(): readonly string[] {
    if (this.#unsure.size === 0 || this.#clock === undefined) return [];
    const wallMs = this.#clock.wallMs();
    return [...this.#unsure].filter(([, endsAtMs]) => endsAtMs <= wallMs).map(([id]) => id);
  }

  forget(id: string): void {
    this.#unsure.delete(id);
  }

  /**
   * Whatever is written says what time the wall clock has, by which the ends of all the others are read after a reboot.
   * True where that clock was set: they are to be written in the same breath.
   */
  followWall(): boolean {
    const skewMs = this.#clock?.skewMs() ?? 0;
    if (Math.abs(skewMs - this.#storedSkewMs) < sameEndMs) return false;
    this.#storedSkewMs = skewMs;
    return true;
  }

  /** As the wall clock has it: what is read after a reboot. */
  byWall(decision: Decision): Decision {
    const byWall = shiftDecision(decision, this.#storedSkewMs);
    const wallMs = this.#unsure.get(decision.id);
    return wallMs === undefined ? byWall : { ...byWall, expires_at: new Date(wallMs).toISOString() };
  }

  /** By time since boot; none where there is no such clock. */
  sinceBoot(decisions: readonly Decision[]): readonly DecisionEnd[] {
    const clock = this.#clock;
    if (clock === undefined) return [];
    const aheadMs = clock.uptimeMs() - clock.now();
    return decisions.map(({ id, expires_at }) => ({
      id,
      endsUptimeMs: Math.floor(Date.parse(expires_at) + aheadMs),
      isUnsure: this.#unsure.has(id),
    }));
  }

  /** That the agent runs, or was stopped, now; undefined where there is no clock to say it by. */
  life(isRunning: boolean, unexpectedEnds: number): LifeRow | undefined {
    const clock = this.#clock;
    if (clock === undefined) return undefined;
    return {
      boot_id: clock.bootId,
      uptime_ms: clock.uptimeMs(),
      wall_ms: clock.wallMs(),
      is_running: isRunning ? 1 : 0,
      unexpected_ends: unexpectedEnds,
    };
  }

  /** Whether the row of this decision says its end as it is to be read in this boot. */
  isAsStored(id: string, row: DecisionRow, life: LifeRow | undefined): boolean {
    return (
      row.ends_uptime_ms !== null &&
      life?.boot_id === this.#clock?.bootId &&
      this.#unsure.has(id) === (row.is_unsure === 1)
    );
  }

  /** The decision with its end by the clock of this run. */
  restore(stored: Decision, row: DecisionRow, life: LifeRow | undefined): Decision {
    const clock = this.#clock;
    if (clock === undefined) return stored;
    const end = restoreEnd(
      { byWallMs: Date.parse(stored.expires_at), uptimeMs: row.ends_uptime_ms, isUnsure: row.is_unsure === 1 },
      life,
      { bootId: clock.bootId, uptimeMs: clock.uptimeMs(), wallMs: clock.wallMs() },
    );
    if (end.isUnsure) this.#unsure.set(stored.id, Date.parse(stored.expires_at));
    const endsAtMs = Math.floor(clock.now() + end.leftMs);
    // a moment's difference is that of two readings: the text stays what everybody knows it as
    if (Math.abs(endsAtMs - Date.parse(stored.expires_at)) < sameEndMs) return stored;
    return { ...stored, expires_at: new Date(endsAtMs).toISOString() };
  }
}
