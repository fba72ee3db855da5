import { mkdtempDisposableSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ReportedState } from './reported-state.ts';

test('an unreadable memory is put aside and said', () => {
  using folder = mkdtempDisposableSync(join(tmpdir(), 'picket-twin-'));
  writeFileSync(join(folder.path, 'twin.sqlite'), 'no database at all'.repeat(500));
  const said: unknown[] = [];
  using state = ReportedState.open(join(folder.path, 'twin.sqlite'), {
    error: (...what: unknown[]) => said.push(what),
  } as never);
  expect(said).toHaveLength(1);
  expect(state.version('key-1', 'policy')).toBe(0);
});
