/** Alerts as lines on the controller's own terminal, for whoever sits before it: `serve --print-alerts`. */
import type { AlertId } from '@picket/shared/contract/identifiers';
import type { Explanation } from '@picket/shared/contract/prediction';
import { StoredAlert, type AlertDetail } from '@picket/shared/contract/stored-alert';
import { valueInWords, wordsOf } from '@picket/shared/features/feature-words';
import type { LiveFeed } from '../live/live-feed.ts';

export interface AlertPrinter {
  readonly feed: LiveFeed;
  /** The whole alert, with its explanation. */
  getAlert(id: AlertId): Promise<AlertDetail>;
  print(lines: string): void;
  readonly colours: boolean;
}

const colourOf: Readonly<Record<StoredAlert['severity'], string>> = {
  critical: '31;1',
  high: '31',
  medium: '33',
  low: '36',
};
const maxAnnounced = 10_000;

/**
 * Prints new alerts and those that were resolved and are open again, and one more line when something was done about one.
 * What was marked as a false positive is not printed again. Returns how to end it.
 */
export function printAlerts(printer: AlertPrinter): () => void {
  /** What was last said of each alert. */
  const announced = new Map<AlertId, string>();
  return printer.feed.subscribe('alerts', (_text, event) => {
    const isReopened = event.type === 'alert_reopened';
    if (event.type !== 'alert_created' && event.type !== 'alert_updated' && !isReopened) return 'taken';
    const alert = StoredAlert.parse(event.data);
    if (alert.status === 'false_positive') return 'taken';
    const before = isReopened ? undefined : announced.get(alert.id);
    if (before === alert.action_taken) return 'taken';
    if (announced.size >= maxAnnounced) announced.clear();
    announced.set(alert.id, alert.action_taken);
    if (before !== undefined) printer.print(actionLine(alert));
    else {
      printer.getAlert(alert.id).then(
        (detail) => printer.print(alertLines(detail, printer.colours)),
        () => printer.print(alertLines({ ...alert, explanation: null }, printer.colours)),
      );
    }
    return 'taken';
  });
}

function alertLines(alert: StoredAlert & Pick<AlertDetail, 'explanation'>, colours: boolean): string {
  const severity = alert.severity.toUpperCase().padEnd(8);
  const marked = colours ? `\u001B[${colourOf[alert.severity]}m${severity}\u001B[0m` : severity;
  const reasons = reasonsOf(alert.explanation?.top_features ?? []);
  const summary = alert.explanation?.summary ?? '';
  return [
    `${alert.last_seen_at.slice(11, 19)}  ${marked}  ${alert.attack_type}  device ${alert.device_address}  peer ${alert.peer ?? 'many'}  score ${alert.score.toFixed(2)}  (${alert.gateway_id})`,
    `          ${alert.message}`,
    ...(summary === '' ? [] : [`          seen: ${summary}`]),
    ...(reasons.length > 0 ? [`          because of ${reasons.join(', ')}`] : []),
    ...(alert.action_taken === 'none' ? [] : [actionLine(alert)]),
  ].join('\n');
}

/** The three of most weight. Columns that say the same of a flow, as the means of packets and of segments do, are one. */
function reasonsOf(features: Explanation['top_features']): string[] {
  const shares = new Map<string, number>();
  for (const { feature, value, unit, importance } of features) {
    if (importance <= 0) continue; // it spoke against it
    const words = `${wordsOf(feature)} ${valueInWords(value, unit)}`;
    shares.set(words, (shares.get(words) ?? 0) + importance);
  }
  return [...shares]
    .toSorted(([, one], [, other]) => other - one)
    .slice(0, 3)
    .map(([words, share]) => `${words} (${(share * 100).toFixed(0)} %)`);
}

function actionLine(alert: StoredAlert): string {
  const done = alert.action_taken.replace('_', ' ');
  const what = alert.simulated ? `${done}, simulated: counted, nothing dropped` : done;
  return `${alert.last_seen_at.slice(11, 19)}  DECISION  ${alert.peer ?? alert.device_address}: ${what} (${alert.attack_type})`;
}
