import { expect, test, vi } from 'vitest';

test('a shell in a namespace does not take itself for a log-in from afar, which would read ~/.bashrc each time', async () => {
  vi.stubEnv('SHLVL', '0'); // as where no shell started us
  const { must } = await import('./namespace.ts');
  expect(await must(['bash', '-c', 'echo "$SHLVL"'])).toBe('2\n');
});
