import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { holdClass } from '../support/class.ts';
import { type RunningEngine, startEngine } from '../support/engine.ts';

describe('a class of students at once', () => {
  let engine: RunningEngine;
  beforeAll(async () => {
    engine = await startEngine({ RATE_PER_KEY: '100000', EXTRACTIVE_PACE_MS: '5' });
  });
  afterAll(async () => {
    await engine[Symbol.asyncDispose]();
  });

  test('everybody is answered, and nobody hears what was meant for another', async () => {
    const report = await holdClass({ url: engine.url, apiKey: engine.apiKey, students: 60, turns: 3 });
    expect(report).toMatchObject({ answered: 180, crossed: 0 });
    expect(engine.output()).not.toContain('a defect');
  });
});
