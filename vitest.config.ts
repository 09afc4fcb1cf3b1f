import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/embedded-template.ts'],
    setupFiles: ['test/support/database.ts'],
    pool: 'forks',
    // Many tests wait for a time limit of the service, so a second file can run even on a single core.
    maxWorkers: 2,
    // On a busy machine, a test may take ten times as long as usual.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    teardownTimeout: 60_000,
  },
});
