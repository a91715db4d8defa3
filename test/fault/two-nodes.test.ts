import { expect, test } from 'vitest';
import { describeWith } from '../support/loud-skip.ts';
import { postgresAvailable } from '../support/postgres.ts';
import { loadTwoNodes } from '../support/two-nodes.ts';

describeWith(postgresAvailable, 'PostgreSQL')('two engines on one PostgreSQL, each with a class at once', () => {
  // `npm run soak -- two-nodes` does it for ten minutes, and looks at memory, too.
  test('everybody is answered by their own words, appends stay short, and nothing lags when it is over (invariant 38)', async () => {
    const report = await loadTwoNodes({ students: 12, more: (classes) => classes < 1 });
    expect(report).toMatchObject({ asked: 72, answered: 72, crossed: 0 });
    expect(report.appendP99Ms).toBeLessThan(2_000);
    expect(report.firstWordsP99Ms).toBeLessThan(10_000);
    expect(report.caughtUpMs).toBeLessThan(5_000);
  });
});
