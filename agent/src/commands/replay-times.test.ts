/** When the restrictions of a replay begin: with the window that they follow from, however far ahead the file was read. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Alert } from '@picket/shared/contract/alert';
import type { DecisionEvent } from '@picket/shared/contract/decision';
import type { Prediction } from '@picket/shared/contract/prediction';
import { expect, test } from 'vitest';

const main = fileURLToPath(new URL('../main.ts', import.meta.url));
const demo = fileURLToPath(new URL('../../captures/demo.pcap', import.meta.url));

type Line =
  | ({ readonly type: 'alert' } & Alert)
  | ({ readonly type: 'decision' } & DecisionEvent)
  | ({ readonly type: 'prediction' } & Prediction)
  | { readonly type: 'summary' };

test('a decision begins at the packet time of the window that called for it', { timeout: 300_000 }, () => {
  const argv = ['--conditions=@picket/source', main, 'replay', demo, '--json', '--no-progress'];
  const { stdout } = spawnSync(process.execPath, argv, { encoding: 'utf8', maxBuffer: 1 << 28 });
  const lines = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
  const judgedAt = new Set<string>();
  const deviceOf = new Map<string, string>();
  const begun: string[] = [];
  for (const line of lines) {
    if (line.type === 'prediction') judgedAt.add(`${line.device.address} ${line.at}`);
    if (line.type === 'alert') deviceOf.set(line.id, line.device.address);
    if (line.type === 'decision')
      begun.push(`${deviceOf.get(line.decision.alert_id ?? '')} ${line.decision.created_at}`);
  }
  expect(begun.length).toBeGreaterThan(3);
  for (const decision of begun) expect(judgedAt).toContain(decision);
});
