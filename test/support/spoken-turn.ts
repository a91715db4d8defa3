import { playoutRate, type Speech } from '../../packages/engine/src/media/ports.ts';
import type { Speaker } from '../../packages/engine/src/speech/speaker.ts';
import { type SentenceSync, syncOf } from './av-sync.ts';
import { type MediaRig, newTurn, type RigLesson } from './media-rig.ts';

export interface SpokenTurn {
  /** How each sentence was received; null: it was not heard. */
  readonly sentences: readonly (SentenceSync | null)[];
  readonly speeches: readonly Speech[];
}

/** What the engine will say for this text: its embedded voices say the same thing the same way. */
export function rehearse(speaker: Speaker, text: string): Promise<Speech> {
  return speaker.say({ text, language: 'en', voice: null, signal: new AbortController().signal });
}

/** Has the tutor read these sentences, and measures each as the student received it. Forgets what was received before. */
export async function speakAndMeasure(
  { rig, lesson, speaker }: { readonly rig: MediaRig; readonly lesson: RigLesson; readonly speaker: Speaker },
  texts: readonly string[],
): Promise<SpokenTurn> {
  const speeches: Speech[] = [];
  for (const text of texts) speeches.push(await rehearse(speaker, text));
  await lesson.student.media.received();
  lesson.student.media.forget();
  const turnId = newTurn();
  const began: number[] = [];
  const done = Promise.withResolvers<void>();
  const stop = rig.workers.onFact((fact) => {
    if (fact.type === 'signal' && fact.signal.type === 'speech' && fact.signal.turnId === turnId) {
      began[fact.signal.index] ??= Date.now();
    }
    const last = fact.type === 'heard' || fact.type === 'unspoken';
    if (last && fact.turnId === turnId && fact.index === texts.length - 1) done.resolve();
  });
  const secondsOfSpeech = speeches.reduce((sum, { samples }) => sum + samples.length / playoutRate, 0);
  const late = setTimeout(() => done.reject(new Error(`not spoken to the end\n${rig.output.join('\n')}`)), (secondsOfSpeech + 30) * 1_000);
  for (const [index, text] of texts.entries()) lesson.say(turnId, index, text);
  await done.promise.finally(() => {
    clearTimeout(late);
    stop();
  });
  // What is under way in the browser's buffers is still to be shown.
  await new Promise((resolve) => setTimeout(resolve, 500));
  const received = await lesson.student.media.received();
  const sentences = speeches.map((speech, index) => syncOf({ ...received, speech, aboutMs: began[index] ?? 0 }));
  return { sentences, speeches };
}
