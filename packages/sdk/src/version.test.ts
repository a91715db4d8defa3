import { readFileSync } from 'node:fs';
import * as schemas from '@virtual-tutor/schemas';
import { expect, test } from 'vitest';
import { sessionEnded, slowConsumer, tokenExpired } from './close-code.ts';
import { maxMessageLength } from './conversation.ts';
import { protocolVersion, sdkVersion } from './version.ts';

test('the version told to engines is the one that is published', () => {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  expect(sdkVersion).toBe(version);
});

test("the protocol's numbers are the engine's", () => {
  expect(protocolVersion).toBe(schemas.protocolVersion);
  expect(maxMessageLength).toBe(schemas.maxMessageLength);
  expect(schemas.closeCodes).toMatchObject({ sessionEnded, slowConsumer, tokenExpired });
});
