import { defineConfig } from 'vitest/config';

/** What floods sockets, or listens to minutes of speech, wants the machine to itself as well. */
const demanding = ['packages/engine/src/adapters/werift-hostile.test.ts', 'packages/engine/src/listening/ear.voices.test.ts'];
/** Minutes each, and what they prove others prove in small: `LONG=1 npm test` runs them too. */
const long = [
  'test/e2e/filmed-lesson.test.ts',
  'test/e2e/filmed-product.test.ts',
  'test/e2e/media-path.test.ts',
  'test/e2e/relay-only-browser.test.ts',
  'test/e2e/relay-only-lesson.test.ts',
  'test/fault/hostile-media.test.ts',
];
const wholeSystem = ['test/fault/**/*.test.ts', 'test/e2e/**/*.test.ts', ...demanding];

/** Suites that kill processes or drive browsers run last, one at a time: beside others they would disturb what is timed. */
export default defineConfig({
  test: {
    pool: 'forks',
    testTimeout: 180_000,
    hookTimeout: 120_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'parts',
          include: ['packages/*/src/**/*.test.{ts,tsx}', 'test/**/*.test.ts'],
          exclude: ['**/node_modules/**', ...wholeSystem],
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'whole',
          include: wholeSystem,
          exclude: ['**/node_modules/**', ...(process.env['LONG'] === '1' ? [] : long)],
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
