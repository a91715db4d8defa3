import { expect, test } from 'vitest';
import { describeFault } from './fault.ts';

test('a fault is told by kind, code and place, causes included, and never by its words', () => {
  const cause = Object.assign(new RangeError('why is the sky blue'), { code: 'ERR_OUT_OF_RANGE' });
  const line = describeFault(new TypeError('cannot read "my name is Lin"', { cause }));
  expect(line).toMatch(/^TypeError at .*fault\.test\.ts.*, because of RangeError ERR_OUT_OF_RANGE at /);
  expect(line).not.toMatch(/sky|Lin|\n/);
});

test('what is thrown and is no error is told by its type', () => {
  expect(describeFault('my name is Lin')).toBe('string');
});
