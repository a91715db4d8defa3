import { expect, test } from 'vitest';
import { sayIn } from '../texts/texts.ts';
import { noteOf } from './event-note.ts';

const note = (type: string, payload: Readonly<Record<string, unknown>>) => noteOf({ type, payload }, sayIn('en'));

test.each([
  ['SentenceHeard', { playout: { medium: 'text' } }, 'read'],
  ['SentenceHeard', { playout: { medium: 'voice', heardMs: 840, durationMs: 2_400 } }, 'heard 840 ms of 2.4 s'],
  ['ReplyInterrupted', { heardMs: 840 }, 'the voice stopped 840 ms into the sentence'],
  ['MessageReceived', { asr: { engine: 'moonshine', asrMs: 310 } }, 'said aloud; recognised by moonshine in 310 ms'],
  ['MediaConnected', { remote: { type: 'relay', port: 10_112 } }, 'through the relay, browser at relay port 10112'],
  ['MediaDisconnected', { reason: 'lost', connectedMs: 65_000 }, 'lost after 65.0 s'],
  ['QualityChanged', { from: 'video', to: 'voice', reason: 'renderer_late' }, 'face and voice → voice: the picture was too slow'],
  [
    'ReplyCompleted',
    { timings: { firstTokenMs: 12, firstAudioMs: null, firstFrameMs: null, totalMs: 900 } },
    'first word 12 ms · whole 900 ms',
  ],
  [
    'ReplyCompleted',
    { timings: { firstTokenMs: 12, firstAudioMs: 180.4, firstFrameMs: 201, totalMs: 900 } },
    'first word 12 ms · first sound 180 ms · moving mouth 201 ms · whole 900 ms',
  ],
])('%s is summed up: %o', (type, payload, words) => {
  expect(note(type, payload)).toBe(words);
});

test('events without more to say, and fields of other engines, are no trouble', () => {
  expect(note('SessionHosted', {})).toBeNull();
  expect(note('MessageReceived', { asr: null })).toBeNull();
  expect(note('QualityChanged', { from: 'hologram', to: 'text', reason: 'magic' })).toBe('hologram → writing: magic');
});
