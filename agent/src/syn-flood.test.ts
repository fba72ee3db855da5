import { expect, test } from 'vitest';
import { replayFlood } from '../../bench/live/replayed-flood.ts';

const boundMib = 256;

test(
  'a SYN flood from 300,000 spoofed sources stays within the memory bound, and reaches the detector',
  { timeout: 400_000 },
  async () => {
    const flood = { sources: 300_000, rate: 50_000, answersOneOf: 1, startUs: 1_700_000_000_000_000 };
    // Whether it is called a flood is the network's part: the model card says how often it is.
    const { summary, peak } = await replayFlood(flood);
    expect(summary).toMatchObject({ packets: 600_000, flows: 300_000, drops: 0, undecodable: 0 });
    expect(summary.evicted).toBeGreaterThan(200_000);
    expect(summary.predictions).toBeGreaterThan(10);
    expect(peak.rssMib).toBeGreaterThan(100);
    expect(peak.rssMib).toBeLessThan(boundMib);
  },
);
