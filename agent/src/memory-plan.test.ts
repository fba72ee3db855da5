import { expect, test } from 'vitest';
import { profileSemantics } from './features/profile-semantics.ts';
import { keyField, keyWords } from './flow/flow-key.ts';
import { OpenFlows } from './flow/open-flows.ts';
import { bytesPerFlow, memoryPlanOf } from './memory-plan.ts';

test('the flow table takes what the bound leaves, as docs/operations.md has it', () => {
  const flowsWith = (maxMib: number): number => memoryPlanOf(maxMib, null).flowCapacity;
  expect([256, 320, 65_536].map(flowsWith)).toEqual([37_888, 149_504, 1_048_576]);
  expect(flowsWith(224)).toBeGreaterThanOrEqual(1024);
  expect(memoryPlanOf(256, 100_000).flowCapacity).toBe(100_000);
});

test('a flow takes no more memory than is set aside for it, however full the index is', () => {
  // One more than half of a power of two: the index has just doubled.
  const capacity = 65_537;
  const before = process.memoryUsage().arrayBuffers;
  const { table } = new OpenFlows({ semantics: profileSemantics.fixed, endings: 'live', capacity }, () => undefined);
  const key = new Int32Array(keyWords);
  for (let id = 0; id < capacity; id++) {
    key[keyField.low] = id;
    table.insert(key, 0, Math.imul(id, 0x9e3779b1));
  }
  const held = process.memoryUsage().arrayBuffers - before;
  expect(table.full).toBe(true);
  expect(held / capacity).toBeGreaterThan(512);
  expect(held / capacity).toBeLessThanOrEqual(bytesPerFlow);
});
