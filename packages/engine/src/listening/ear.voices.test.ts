import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeWith } from '../../../../test/support/loud-skip.ts';
import { microphonePackets, overPoorNetwork } from '../../../../test/support/microphone-packets.ts';
import { wordlessSounds } from '../../../../test/support/noises.ts';
import { seeded } from '../../../../test/support/seeded.ts';
import { spokenSentences } from '../../../../test/support/spoken-sentences.ts';
import { VirtualEar } from '../../../../test/support/virtual-ear.ts';
import { atPeak, joined, mixed, say, silence, trimmed, type Voice, voicesAvailable } from '../../../../test/support/voices.ts';
import { wordErrors } from '../../../../test/support/word-errors.ts';
import { createOpusDecoder } from '../adapters/node-av-opus.ts';
import { createVad } from '../adapters/silero.ts';
import type { Vad } from '../media/ports.ts';
import { createRecogniser, type Recogniser, type RecognitionRequest } from './recogniser.ts';

const saying = 'Green plants make sugar from light, water and air.';

describeWith(voicesAvailable, 'voices (apt-get install flite espeak-ng)')('real voices and noises', () => {
  let recogniser: Recogniser;
  let vad: Vad;
  beforeAll(async () => {
    recogniser = createRecogniser({ enabled: true, modelsFolder: null, model: 'base', device: 'cpu', language: null });
    vad = await createVad();
  });
  afterAll(() => recogniser[Symbol.asyncDispose]());

  /** Machines think for 80 ms here, so that a busy machine changes nothing. */
  function listening({ partials = true } = {}): VirtualEar {
    vad.reset();
    const transcribe = (request: RecognitionRequest) =>
      partials || request.kind === 'final'
        ? recogniser.transcribe(request)
        : Promise.reject(new DOMException('not wanted here', 'AbortError'));
    return new VirtualEar({ vad, recogniser: { transcribe, supports: (language) => recogniser.supports(language) }, asrMs: 80 });
  }

  const voices: readonly Voice[] = ['slt', 'rms'];

  test.each(voices)('of what %s says at most a fifth of the words is misunderstood, and each sentence is one utterance', async (voice) => {
    let errors = 0;
    let words = 0;
    for (const sentence of spokenSentences.slice(0, 10)) {
      const virtual = listening({ partials: false });
      await virtual.hear(joined(silence(600), trimmed(say(sentence, voice)), silence(1_600)));
      const utterances = virtual.of('utterance');
      expect(utterances).toHaveLength(1);
      const wrong = wordErrors(sentence, utterances[0]?.text ?? '');
      errors += wrong.errors;
      words += wrong.words;
    }
    expect(errors / words).toBeLessThanOrEqual(0.2);
  });

  test('a pause in the middle of a sentence does not cut it in two', async () => {
    const halves = [
      ['I want to know', 'why the sky is blue'],
      ['The first step is to', 'divide by two'],
      ['What I mean is,', 'how do plants breathe'],
      ['I think that', 'the answer is ten'],
    ] as const;
    for (const [first, second] of halves) {
      const virtual = listening({ partials: false });
      await virtual.hear(joined(silence(500), trimmed(say(first, 'rms')), silence(800), trimmed(say(second, 'rms')), silence(2_000)));
      expect(virtual.of('utterance')).toHaveLength(1);
    }
  });

  test('of more than a hundred coughs, hums, noises and "yeah"s at most 3 % stop the tutor, and it goes on within 2 s', async () => {
    const agreements = ['Yeah.', 'Okay.', 'Right.', 'I see.', 'Yes.'].flatMap((text) =>
      (['slt', 'rms', 'awb', 'kal16'] as const).map((voice) => ({
        name: `${voice}: ${text}`,
        samples: atPeak(trimmed(say(text, voice)), 0.5),
      })),
    );
    const sounds = [...wordlessSounds(5), ...agreements];
    expect(sounds.length).toBeGreaterThanOrEqual(100);
    const stopping: string[] = [];
    for (const { name, samples } of sounds) {
      const virtual = listening();
      virtual.ear.playing(true, saying);
      await virtual.hear(joined(silence(700), samples, silence(1_500)));
      if (virtual.of('takeFloor').length > 0) stopping.push(name);
      const heldAt = virtual.of('hold').map(({ atMs }) => atMs);
      for (const [index, { atMs }] of virtual.of('release').entries()) expect(atMs - (heldAt[index] ?? 0)).toBeLessThan(2_000);
    }
    expect(stopping.length, stopping.join(', ')).toBeLessThanOrEqual(0.03 * sounds.length);
  });

  test('speech holds the tutor within 150 ms of its onset, and takes the floor', async () => {
    const held: number[] = [];
    const said = [
      'Wait, I have a question.',
      'No, that is wrong.',
      'What does that mean?',
      'Can you explain that again?',
      'But plants also breathe at night.',
    ];
    for (const text of said) {
      for (const voice of voices) {
        const virtual = listening();
        virtual.ear.playing(true, saying);
        await virtual.hear(joined(silence(700), trimmed(say(text, voice)), silence(2_000)));
        expect(virtual.of('takeFloor'), text).toHaveLength(1);
        expect(virtual.of('utterance'), text).toHaveLength(1);
        held.push((virtual.of('hold')[0]?.atMs ?? Number.POSITIVE_INFINITY) - 1_000_700);
      }
    }
    expect(held.toSorted((a, b) => a - b)[Math.floor(held.length * 0.9)]).toBeLessThanOrEqual(150);
  });

  test('over a network that loses 3 % and swaps 5 % of the packets a sentence is still understood', async () => {
    using decoder = createOpusDecoder();
    vad.reset();
    const virtual = new VirtualEar({ vad, recogniser, decoder, asrMs: 80 });
    const audio = joined(silence(600), trimmed(say('What is the difference between a lake and a sea?', 'rms')), silence(1_600));
    for (const { payload, ...header } of overPoorNetwork(microphonePackets(audio), { loss: 0.03, swaps: 0.05, seed: 7 })) {
      await virtual.step(() => virtual.ear.packet(payload, header));
    }
    const [utterance] = virtual.of('utterance');
    expect(wordErrors('What is the difference between a lake and a sea?', utterance?.text ?? '').errors).toBeLessThanOrEqual(2);
  });

  test('in a noisy room a sentence is one utterance, and understood', async () => {
    const random = seeded(5);
    const room = silence(5_000).map(() => 0.01 * (random() - 0.5));
    const virtual = listening();
    await virtual.hear(mixed(room, joined(silence(900), atPeak(trimmed(say('What is the capital city of Australia?', 'rms')), 0.4))));
    const utterances = virtual.of('utterance');
    expect(utterances).toHaveLength(1);
    expect(wordErrors('What is the capital city of Australia?', utterances[0]?.text ?? '').errors).toBeLessThanOrEqual(1);
  });

  test('rubbish on the track is silence', async () => {
    using decoder = createOpusDecoder();
    const virtual = new VirtualEar({ vad, recogniser, decoder });
    for (let index = 0; index < 300; index += 1) {
      const payload = Uint8Array.from({ length: index % 90 }, (_, byte) => (byte * 73 + index * 29) & 0xff);
      await virtual.step(() => virtual.ear.packet(payload, { timestamp: index * 960, sequence: index }));
    }
    expect(virtual.of('utterance')).toEqual([]);
  });
});
