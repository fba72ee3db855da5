import { defaultServerConditions } from 'vite';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  ssr: { resolve: { conditions: [...defaultServerConditions, '@picket/source'] } },
  test: {
    include: ['{shared,agent,controller,models,bench,bin,.ci}/**/*.test.ts'],
    exclude: ['**/node_modules/**', '**/dist/**'],
    globalSetup: ['.ci/postgres-setup.ts'],
    execArgv: ['--conditions=@picket/source'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    coverage: {
      reportOnFailure: true,
      include: ['{shared,agent,controller,models}/src/**/*.ts'],
      exclude: ['**/*.test.ts', '**/testing/**'],
    },
  },
});
