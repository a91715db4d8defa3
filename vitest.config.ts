import { defineConfig } from 'vitest/config';

/** Minutes each, and what they prove others prove in small: `LONG=1 npm test` runs them too. */
const long = [
  'test/e2e/filmed-lesson.test.ts',
  'test/e2e/filmed-product.test.ts',
  'test/e2e/media-path.test.ts',
  'test/e2e/relay-only-browser.test.ts',
  'test/e2e/relay-only-lesson.test.ts',
  'test/fault/hostile-media.test.ts',
];
/** Voice and face as somebody hears and sees them, floods of sockets, minutes of speech: what is timed wants the machine to itself. */
const timed = [
  'test/e2e/{filmed,lip-sync,media,relay-only-browser,relay-only-lesson,voice-lesson,voice-trouble}*.test.ts',
  'test/fault/{filmed,hostile-media,media,relay-flood}*.test.ts',
  'test/contract/musetalk-process.test.ts',
  'packages/engine/src/adapters/werift-hostile.test.ts',
  'packages/engine/src/listening/ear.voices.test.ts',
];
/** They kill processes and drive browsers, which would disturb others, but none of them looks at a clock closely: two at once. */
const system = ['test/fault/**/*.test.ts', 'test/e2e/**/*.test.ts'];
/** No native code, no process of their own, nothing global left changed: files share a worker, whose start costs more than most of them. */
const light = [
  'packages/{schemas,server,sdk,console}/src/**/*.test.{ts,tsx}',
  'packages/engine/src/*.test.ts',
  'packages/engine/src/{knowledge,media,speech,turn}/**/*.test.ts',
];
const elsewhere = ['**/node_modules/**'];
const isLong = process.env['LONG'] === '1';
const leftOut = isLong ? elsewhere : [...elsewhere, ...long];

export default defineConfig({
  test: {
    pool: 'forks',
    // In a long run some tests repeat a crash fifty times, or a property two thousand.
    testTimeout: isLong ? 1_800_000 : 180_000,
    hookTimeout: 120_000,
    // onnxruntime 1.30 reports its use to Microsoft unless it is told not to.
    env: { ORT_DISABLE_TELEMETRY: '1' },
    projects: [
      {
        extends: true,
        test: { name: 'light', include: light, exclude: elsewhere, isolate: false, maxWorkers: 3, sequence: { groupOrder: 0 } },
      },
      {
        extends: true,
        test: {
          name: 'parts',
          include: ['packages/*/src/**/*.test.{ts,tsx}', 'test/**/*.test.ts'],
          exclude: [...elsewhere, ...light, ...system, ...timed],
          // One more than cores: some wait for relays and networks to be given up.
          maxWorkers: 3,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: { name: 'system', include: system, exclude: [...leftOut, ...timed], maxWorkers: 2, sequence: { groupOrder: 1 } },
      },
      {
        extends: true,
        test: { name: 'timed', include: timed, exclude: leftOut, maxWorkers: 1, sequence: { groupOrder: 2 } },
      },
    ],
  },
});
