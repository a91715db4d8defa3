import { parseArgs } from 'node:util';
import { createOpusDecoder } from '../packages/engine/src/adapters/node-av-opus.ts';
import { createVad } from '../packages/engine/src/adapters/silero.ts';
import { createRecogniser, type Recogniser } from '../packages/engine/src/listening/recogniser.ts';
import { listeningRate, type Vad } from '../packages/engine/src/media/ports.ts';
import { microphonePackets } from '../test/support/microphone-packets.ts';
import { wordlessSounds } from '../test/support/noises.ts';
import { spokenSentences } from '../test/support/spoken-sentences.ts';
import { VirtualEar } from '../test/support/virtual-ear.ts';
import { atPeak, joined, say, silence, trimmed, type Voice, voicesAvailable } from '../test/support/voices.ts';
import { wordErrors } from '../test/support/word-errors.ts';

/*
 * What the embedded recogniser makes of English sentences in two synthetic voices, through Opus as a
 * browser sends it: words wrong, from the end of speech to the text (all waiting included), computing
 * time per second of speech. Then barge-in: from the onset of speech to the hold, and how many of the
 * sounds that are not speech stop the tutor. The microphone's clock stands still while machines think,
 * and goes on by as much as that took.
 */

const { values } = parseArgs({ options: { json: { type: 'boolean', default: false }, sentences: { type: 'string', default: '36' } } });
const sentences = spokenSentences.slice(0, Number(values.sentences));
const voices: readonly Voice[] = ['slt', 'rms'];
const leadMs = 600;
const startedMs = 1_000_000;

interface Machine {
  readonly vad: Vad;
  readonly recogniser: Recogniser;
}

function quantile(figures: readonly number[], share: number): number {
  const sorted = figures.toSorted((a, b) => a - b);
  return Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN);
}

const percent = (share: number) => Math.round(share * 1_000) / 10;

async function sentence({ vad, recogniser }: Machine, { text, voice }: { readonly text: string; readonly voice: Voice }) {
  vad.reset();
  using decoder = createOpusDecoder();
  const virtual = new VirtualEar({ vad, recogniser, decoder });
  const speech = trimmed(say(text, voice));
  const spokenMs = (speech.length / listeningRate) * 1_000;
  for (const { payload, ...header } of microphonePackets(joined(silence(leadMs), speech, silence(2_500)))) {
    await virtual.step(() => virtual.ear.packet(payload, header));
  }
  const utterances = virtual.of('utterance');
  const { errors, words } = wordErrors(text, utterances.map((utterance) => utterance.text).join(' '));
  const endToTextMs = (utterances.at(-1)?.atMs ?? Number.NaN) - startedMs - leadMs - spokenMs;
  return { errors, words, endToTextMs, utterances: utterances.length };
}

/** Recognition alone, of the whole sentence, on one core. */
async function realTimeFactor({ recogniser }: Machine): Promise<number> {
  let spokenMs = 0;
  let tookMs = 0;
  for (const text of sentences) {
    const samples = say(text, 'slt');
    const began = performance.now();
    await recogniser.transcribe({ owner: 'bench', kind: 'final', samples, language: 'en', signal: new AbortController().signal });
    tookMs += performance.now() - began;
    spokenMs += (samples.length / listeningRate) * 1_000;
  }
  return Math.round((tookMs / spokenMs) * 1_000) / 1_000;
}

async function interruptions({ vad, recogniser }: Machine) {
  const onsetToHoldMs: number[] = [];
  let tookFloor = 0;
  for (const text of sentences) {
    vad.reset();
    const virtual = new VirtualEar({ vad, recogniser });
    virtual.ear.playing(true);
    await virtual.hear(joined(silence(leadMs + onsetToHoldMs.length), trimmed(say(text, 'rms')), silence(1_500)));
    onsetToHoldMs.push((virtual.of('hold')[0]?.atMs ?? Number.NaN) - startedMs - leadMs - onsetToHoldMs.length);
    tookFloor += virtual.of('takeFloor').length;
  }
  return { onsetToHoldMs, tookFloorPercent: percent(tookFloor / sentences.length) };
}

async function falseAlarms({ vad, recogniser }: Machine) {
  const agreements = ['Yeah.', 'Okay.', 'Right.', 'I see.', 'Got it.', 'Yes.', 'Sure.', 'Uh huh.'].flatMap((text) =>
    (['slt', 'rms', 'awb', 'kal16'] as const).map((voice) => ({ name: text, samples: atPeak(trimmed(say(text, voice)), 0.5) })),
  );
  const sounds = [...wordlessSounds(8), ...agreements];
  const pausesMs: number[] = [];
  let stopped = 0;
  for (const { samples } of sounds) {
    vad.reset();
    const virtual = new VirtualEar({ vad, recogniser });
    virtual.ear.playing(true);
    await virtual.hear(joined(silence(leadMs), samples, silence(1_500)));
    if (virtual.of('takeFloor').length > 0) stopped += 1;
    const holds = virtual.of('hold');
    pausesMs.push(...virtual.of('release').map(({ atMs }, index) => atMs - (holds[index]?.atMs ?? Number.NaN)));
  }
  return {
    sounds: sounds.length,
    stoppedPercent: percent(stopped / sounds.length),
    paused: pausesMs.length,
    pauseP95Ms: quantile(pausesMs, 0.95),
  };
}

async function main(): Promise<void> {
  if (!voicesAvailable) throw new Error('this bench needs voices: apt-get install flite espeak-ng');
  await using recogniser = createRecogniser({ enabled: true, modelsFolder: null, model: 'base', device: 'cpu', language: null });
  const machine: Machine = { vad: await createVad(), recogniser };
  // The first recognition waits for the model.
  await sentence(machine, { text: 'Good morning.', voice: 'slt' });
  const werPercent: Record<string, number> = {};
  const endToTextMs: number[] = [];
  let cut = 0;
  for (const voice of voices) {
    let errors = 0;
    let words = 0;
    for (const text of sentences) {
      const result = await sentence(machine, { text, voice });
      errors += result.errors;
      words += result.words;
      endToTextMs.push(result.endToTextMs);
      if (result.utterances !== 1) cut += 1;
    }
    werPercent[voice] = percent(errors / words);
    if (!values.json) console.log(`${voice}: ${errors} of ${words} words wrong`);
  }
  const { onsetToHoldMs, tookFloorPercent } = await interruptions(machine);
  console.log(
    JSON.stringify({
      bench: 'listening',
      werPercent,
      endOfSpeechToTextMs: { p50: quantile(endToTextMs, 0.5), p95: quantile(endToTextMs, 0.95) },
      rtf: await realTimeFactor(machine),
      notOneUtterance: cut,
      bargeIn: { onsetToHoldMs: { p50: quantile(onsetToHoldMs, 0.5), p95: quantile(onsetToHoldMs, 0.95) }, tookFloorPercent },
      falseAlarms: await falseAlarms(machine),
      sentences: sentences.length * voices.length,
    }),
  );
}

await main();
