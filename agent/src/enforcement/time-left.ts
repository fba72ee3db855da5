/**
 * How long a decision still lasts after the agent was away: never longer than it would have lasted without that. Pure.
 */

/** How often a running agent says that it runs. After a power cut this much is taken off what is left. */
export const seenEveryMs = 30_000;

/** When an agent was last known to run. */
export interface LastSeen {
  readonly boot_id: string;
  readonly uptime_ms: number;
  readonly wall_ms: number;
  /** 0: it was stopped then. 1: it may have run on for up to `seenEveryMs`. */
  readonly is_running: number;
}

/** All in milliseconds; `wallMs` since 1970, `uptimeMs` since the boot that `bootId` names. */
export interface Moment {
  readonly bootId: string;
  readonly uptimeMs: number;
  readonly wallMs: number;
}

export interface StoredEnd {
  readonly byWallMs: number;
  /** Since the boot of `LastSeen`; null where only the wall's time was stored. */
  readonly uptimeMs: number | null;
  /** It went through a reboot before. */
  readonly isUnsure: boolean;
}

/**
 * Within one boot the time since boot is exact, and the wall clock may say what it likes. After a reboot nobody knows
 * how long the machine was off: the time left is what was left then, less what the wall clock says has passed (a clock
 * without a battery says too little, which the reboot itself does not lengthen: off, nothing is held), and never more
 * than the wall clock leaves. `isUnsure`: whoever holds it must end it once the wall clock has passed its end.
 */
export function restoreEnd(
  stored: StoredEnd,
  seen: LastSeen | undefined,
  now: Moment,
): { readonly leftMs: number; readonly isUnsure: boolean } {
  const leftByWallMs = stored.byWallMs - now.wallMs;
  if (stored.uptimeMs === null || seen === undefined) return { leftMs: leftByWallMs, isUnsure: true };
  if (seen.boot_id === now.bootId && now.uptimeMs >= seen.uptime_ms) {
    return { leftMs: stored.uptimeMs - now.uptimeMs, isUnsure: stored.isUnsure };
  }
  const passedMs = Math.max(now.wallMs - seen.wall_ms, seen.is_running === 1 ? seenEveryMs : 0);
  return { leftMs: Math.min(stored.uptimeMs - seen.uptime_ms - passedMs, leftByWallMs), isUnsure: true };
}
