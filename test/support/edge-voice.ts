import { createEspeak } from '../../packages/engine/src/adapters/espeak.ts';
import { createFlite } from '../../packages/engine/src/adapters/flite.ts';
import { playoutRate } from '../../packages/engine/src/media/ports.ts';
import { asInt16, resample } from '../../packages/engine/src/media/resample.ts';
import type { EdgeScript } from './edge-tts-server.ts';

/** Gives the stand-in for Edge the embedded voices; in Chinese it reports words of up to two characters, as Edge does. */
export async function scriptedBy(): Promise<(text: string) => Promise<EdgeScript>> {
  const [flite, espeak] = await Promise.all([createFlite(), createEspeak()]);
  return async (text) => {
    const chinese = /\p{sc=Han}/u.test(text);
    const request = { text, language: chinese ? 'zh' : 'en', voice: null, signal: new AbortController().signal } as const;
    const speech = await (chinese ? espeak : flite).synthesize(request);
    const spoken = speech.words.map(({ from, to, startMs, endMs }) => ({ from, text: text.slice(from, to), startMs, endMs }));
    const words: { text: string; startMs: number; endMs: number }[] = [];
    let end = -1;
    for (const { from, text: word, startMs, endMs } of spoken) {
      const last = words.at(-1);
      if (chinese && last !== undefined && last.text.length === 1 && from === end && word.length === 1) {
        words[words.length - 1] = { text: last.text + word, startMs: last.startMs, endMs };
      } else words.push({ text: word, startMs, endMs });
      end = from + word.length;
    }
    return { samples: asInt16(resample(speech.samples, playoutRate, 24_000)), words };
  };
}
