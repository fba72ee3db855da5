/** Run in a process of its own: a test runner rewrites what it loads, and with it what the compiler makes of it. */
import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { heapBytesOf } from '../testing/heap-allocation.ts';
import type { MeteringAllocation, MeteringOptions } from '../testing/metering-allocation.ts';

const program = new URL('../testing/metering-allocation.ts', import.meta.url).href;

function allocationOf(options: MeteringOptions): MeteringAllocation {
  const source = `
    import { meteringAllocation } from ${JSON.stringify(program)};
    console.log(JSON.stringify(meteringAllocation(${JSON.stringify(options)})));`;
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    // Compiled where it stands: on a busy machine a compiler beside it may finish only after the counted part began.
    ['--conditions=@picket/source', '--no-concurrent-recompilation', '--input-type=module', '--eval', source],
    { encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as MeteringAllocation;
}

test.each(['reference', 'live'] as const)(
  '%s: a million packets of open flows allocate next to nothing',
  (endings) => {
    const { packets, heapBytes, bufferBytes, handedOver } = allocationOf({ flows: 1000, packets: 1_000_000, endings });
    expect(packets).toBeGreaterThanOrEqual(1_000_000);
    expect(handedOver).toBe(0);
    // A number in a box for each packet would be 16 MB. What there is belongs to chunks, the compiler and the measurement.
    expect(heapBytes).toBeLessThan(1_000_000);
    expect(bufferBytes).toBe(0);
  },
  300_000,
);

test('what is collected while it is measured counts', () => {
  const sum = { length: 0 };
  const bytes = heapBytesOf(() => {
    for (let turn = 0; turn < 200_000; turn++) sum.length += Array.from({ length: 4 }, () => turn).length;
  });
  expect(sum.length).toBe(800_000);
  expect(bytes).toBeGreaterThan(6_400_000);
});
