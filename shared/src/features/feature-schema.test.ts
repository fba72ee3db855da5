import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { featureCount, featureNames, featureSchemaHash } from './feature-schema.ts';

test('there are 78 distinct features, and the schema hash is that of their names', () => {
  expect(featureNames).toHaveLength(featureCount);
  expect(new Set(featureNames).size).toBe(featureCount);
  expect(createHash('sha256').update(featureNames.join('\n')).digest('hex')).toBe(featureSchemaHash);
});
