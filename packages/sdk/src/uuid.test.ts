import { expect, test } from 'vitest';
import { uuidv7 } from './uuid.ts';

test('an id is a UUIDv7 with the time of its making in front', () => {
  const before = Date.now();
  const id = uuidv7();
  expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  const madeAtMs = Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16);
  expect(madeAtMs).toBeGreaterThanOrEqual(before);
  expect(madeAtMs).toBeLessThanOrEqual(Date.now());
});

test('ids differ', () => {
  expect(new Set(Array.from({ length: 1_000 }, uuidv7)).size).toBe(1_000);
});
