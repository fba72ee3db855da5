import { expect, test } from 'vitest';
import { replayFlood } from '../../bench/live/replayed-flood.ts';

const boundMib = 256;

test(
  'a SYN flood from 300,000 spoofed sources stays within the memory bound, and is seen',
  { timeout: 120_000 },
  async () => {
    const flood = { sources: 300_000, rate: 50_000, answersOneOf: 1, startUs: 1_700_000_000_000_000 };
    const { summary, firstAlert, peak } = await replayFlood(flood);
    expect(summary).toMatchObject({ packets: 600_000, flows: 300_000, drops: 0, undecodable: 0 });
    expect(summary.evicted).toBeGreaterThan(200_000);
    expect(summary.predictions).toBeGreaterThan(10);
    expect(firstAlert).toMatchObject({ class: 'ddos_flood' });
    expect(firstAlert!.afterSeconds).toBeLessThan(flood.sources / flood.rate);
    expect(peak.rssMib).toBeGreaterThan(100);
    expect(peak.rssMib).toBeLessThan(boundMib);
  },
);
