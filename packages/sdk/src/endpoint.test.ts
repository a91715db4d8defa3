import { expect, test } from 'vitest';
import { endpoint } from './endpoint.ts';
import { TutorError } from './errors.ts';

test.each([
  ['http://localhost:9000', 'http', 'http://localhost:9000/trpc'],
  ['http://localhost:9000/', 'ws', 'ws://localhost:9000/trpc'],
  ['https://tutor.example/engine/', 'ws', 'wss://tutor.example/engine/trpc'],
  ['wss://tutor.example:9001/trpc', 'ws', 'wss://tutor.example:9001/trpc'],
  ['ws://localhost:9001', 'http', 'http://localhost:9001/trpc'],
] as const)('%s is reached by %s at %s', (url, scheme, expected) => {
  expect(endpoint(url, scheme)).toBe(expected);
});

test('a credential that somebody put into the address is dropped', () => {
  expect(endpoint('https://user:secret@tutor.example/?token=secret#secret', 'http')).toBe('https://tutor.example/trpc');
});

test.each(['', 'localhost:9000', 'ftp://tutor.example', 'not an address'])('"%s" is refused with what to write instead', (url) => {
  expect(() => endpoint(url, 'http')).toThrow(TutorError);
  expect(() => endpoint(url, 'http')).toThrow(/http:\/\/localhost:9000/);
});
