/** When a rule acts: days and hours in the time zone that the rule names. */
import { Weekday, type RuleSchedule } from '../contract/rule.ts';

const clocks = new Map<string, Intl.DateTimeFormat>();
const maxClocks = 50;

/** `atMs` since 1970. Hours over midnight belong to the day they began on. */
export function isScheduled(schedule: RuleSchedule | null, atMs: number): boolean {
  if (schedule === null) return true;
  const now = localTime(schedule.time_zone, atMs);
  const from = minutesOf(schedule.from);
  const until = minutesOf(schedule.until);
  const isToday = schedule.days.includes(now.day);
  if (from < until) return isToday && now.minutes >= from && now.minutes < until;
  if (from === until && from === 0) return isToday;
  const isYesterdays = schedule.days.includes(dayBefore(now.day));
  return now.minutes >= from ? isToday : isYesterdays && now.minutes < until;
}

function minutesOf(time: string): number {
  return Number(time.slice(0, 2)) * 60 + Number(time.slice(3, 5));
}

function dayBefore(day: Weekday): Weekday {
  const days = Weekday.options;
  return days[(days.indexOf(day) + days.length - 1) % days.length]!;
}

function localTime(timeZone: string, atMs: number): { readonly day: Weekday; readonly minutes: number } {
  const parts = new Map(
    clockOf(timeZone)
      .formatToParts(atMs)
      .map(({ type, value }) => [type, value]),
  );
  return {
    day: Weekday.parse(parts.get('weekday')?.toLowerCase()),
    minutes: Number(parts.get('hour')) * 60 + Number(parts.get('minute')),
  };
}

function clockOf(timeZone: string): Intl.DateTimeFormat {
  const known = clocks.get(timeZone);
  if (known !== undefined) return known;
  const clock = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    weekday: 'short',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  });
  if (clocks.size >= maxClocks) clocks.clear();
  clocks.set(timeZone, clock);
  return clock;
}
