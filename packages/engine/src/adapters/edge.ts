import type { Agent } from 'node:http';
import type { Readable } from 'node:stream';
import { MsEdgeTTS, OUTPUT_FORMAT } from 'msedge-tts';
import { type Speech, SpeechUnavailable, type Tts } from '../media/ports.ts';
import { energyVisemes } from '../speech/energy-visemes.ts';
import { finishSpeech } from '../speech/finish.ts';
import { wordsIn } from '../speech/word-times.ts';
import { boundaryTimes, readBoundaries, spreadTimes, type WordBoundary } from './edge-boundaries.ts';
import { decodeMp3 } from './node-av-mp3.ts';

/*
 * Microsoft Edge's read-aloud voices: neural, free, and sent for over the internet through an interface
 * that Microsoft does not promise. Its text leaves this machine, so it is opt-in. It tells when each
 * word is said, not how the mouth moves; `borrowVisemes` gives a better mouth than the one made here.
 */

export interface EdgeOptions {
  /** Makes the connections; default: to the service itself. */
  readonly agent?: Agent;
  /** To open a connection, and between any two messages on it, ms. */
  readonly timeoutMs?: number;
}

interface Answer {
  readonly sound: Buffer;
  readonly boundaries: readonly WordBoundary[];
}

/** One connection a sentence: an idle one is closed by the service without notice. */
export function createEdge({ agent, timeoutMs = 2_500 }: EdgeOptions = {}): Tts {
  return {
    name: 'edge',
    languages: ['en', 'zh'],
    async synthesize({ text, voice, signal }): Promise<Speech> {
      signal.throwIfAborted();
      if (wordsIn(text).length === 0) return { samples: new Int16Array(0), visemes: [], words: [], engine: 'edge' };
      if (voice === null) throw new SpeechUnavailable('language_unsupported', 'Edge TTS has no voice chosen');
      const { sound, boundaries } = await ask({ text, voice, signal, agent, timeoutMs });
      const { samples, rate } = decode(sound);
      const words = boundaryTimes(text, boundaries) ?? spreadTimes(text, samples, rate);
      return finishSpeech({ samples, rate, words, visemes: energyVisemes(samples, rate), engine: 'edge' });
    },
  };
}

interface Question {
  readonly text: string;
  readonly voice: string;
  readonly signal: AbortSignal;
  readonly agent: Agent | undefined;
  readonly timeoutMs: number;
}

async function ask({ text, voice, signal, agent, timeoutMs }: Question): Promise<Answer> {
  const client = new MsEdgeTTS(agent === undefined ? {} : { agent });
  const given = Promise.withResolvers<never>();
  const abort = () => given.reject(new DOMException('the sentence was cancelled', 'AbortError'));
  const giveUp = () => given.reject(new SpeechUnavailable('unreachable', `Edge TTS was silent for ${timeoutMs} ms`));
  const timer = setTimeout(giveUp, timeoutMs);
  signal.addEventListener('abort', abort, { once: true });
  try {
    await Promise.race([open(client, voice), given.promise]);
    timer.refresh();
    const { audioStream, metadataStream } = client.toStream(escaped(text));
    return await Promise.race([receive({ audioStream, metadataStream, onNews: () => timer.refresh() }), given.promise]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', abort);
    client.close();
  }
}

async function open(client: MsEdgeTTS, voice: string): Promise<void> {
  try {
    await client.setMetadata(voice, OUTPUT_FORMAT.AUDIO_24KHZ_96KBITRATE_MONO_MP3, { wordBoundaryEnabled: true });
  } catch (error) {
    // A wrong clock makes a wrong token, and that is answered by 403.
    const refused = error instanceof Error && error.message.includes('403');
    const reason = refused ? "Edge TTS refused the connection (403): is this machine's clock right?" : 'Edge TTS cannot be reached';
    throw new SpeechUnavailable('unreachable', reason, { cause: error });
  }
}

interface Receiving {
  readonly audioStream: Readable;
  readonly metadataStream: Readable | null;
  readonly onNews: () => void;
}

function receive({ audioStream, metadataStream, onNews }: Receiving): Promise<Answer> {
  const sound: Buffer[] = [];
  const boundaries: WordBoundary[] = [];
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  audioStream.on('data', (chunk: Buffer) => {
    sound.push(chunk);
    onNews();
  });
  metadataStream?.on('data', (chunk: Buffer) => {
    boundaries.push(...readBoundaries(chunk.toString()));
    onNews();
  });
  audioStream.on('end', () => resolve({ sound: Buffer.concat(sound), boundaries }));
  audioStream.on('error', (error) => reject(new SpeechUnavailable('unreachable', 'Edge TTS hung up in the middle', { cause: error })));
  return promise;
}

function decode(sound: Buffer) {
  if (sound.length === 0) throw new SpeechUnavailable('bad_answer', 'Edge TTS sent no sound');
  try {
    return decodeMp3(sound);
  } catch (error) {
    throw new SpeechUnavailable('bad_answer', 'Edge TTS sent something that is no MP3', { cause: error });
  }
}

/** The client puts it into SSML as it is. */
function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
