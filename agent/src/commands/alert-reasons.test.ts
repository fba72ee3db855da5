import { expect, test } from 'vitest';
import type { Explanation, FeatureImportance } from '@picket/shared/contract/prediction';
import { reasonLines } from './alert-reasons.ts';

const reason: FeatureImportance = {
  feature: 'Fwd Packet Length Mean',
  value: 105.4,
  unit: 'bytes',
  normal: 48,
  direction: 'usual',
  importance: 0.08,
  flow_index: 9,
};

const explanation: Explanation = {
  top_features: [
    { ...reason, feature: 'SYN Flag Count', value: 2, unit: 'count', normal: 0, direction: 'above', importance: 0.1 },
    reason,
    { ...reason, feature: 'Avg Fwd Segment Size', importance: 0.06 },
    {
      ...reason,
      feature: 'Flow Duration',
      value: 30_000,
      unit: 'us',
      normal: null,
      direction: 'unknown',
      importance: -0.03,
    },
  ],
  flow_importance: [0.5, 0.3, 0.1, 0.1],
  flows: [0.5, 0.3, 0.1, 0.1].map((share, index) => ({
    flow_index: index,
    flow_id: `019a0000-0000-7000-8000-0000000000aa.${index}`,
    key: `tcp 203.0.113.9:4000${index} > 192.168.1.20:22`,
    share,
  })),
  normal_of: 'device',
  summary: '',
};

test('reasons stand under each other, and columns that say the same are one', () => {
  expect(reasonLines(explanation)).toEqual([
    'reasons, by their share of what moved the score (minus: against an attack), against the device’s own normal:',
    '  +14 %  mean payload of the opener’s packets  105 bytes  usual (48 bytes)',
    '  +10 %  packets that open a connection        2          above 0',
    '   -3 %  length of a conversation              30 ms',
    'flows that carried it:',
    '  +50 %  tcp 203.0.113.9:40000 > 192.168.1.20:22',
    '  +30 %  tcp 203.0.113.9:40001 > 192.168.1.20:22',
    '  +10 %  tcp 203.0.113.9:40002 > 192.168.1.20:22',
    '  and 1 more',
  ]);
});

test('what is normal elsewhere is not called the device’s own', () => {
  expect(reasonLines({ ...explanation, normal_of: 'bundle' })[0]).toMatch(/against what is normal elsewhere:$/);
});
