import { defineConfig } from 'vitest/config';

/** For `interrupted.test.ts`, which runs these tests in another process and ends that before its time. */
export default defineConfig({
  test: {
    include: ['test/support/interrupted/*.fixture.ts'],
    pool: 'forks',
    testTimeout: 300_000,
    hookTimeout: 300_000,
    provide: { embeddedTemplate: process.env.EMBEDDED_TEMPLATE ?? '' },
  },
});
