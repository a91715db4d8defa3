import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createIllustrated } from '../../packages/engine/src/adapters/canvas-illustrated.ts';
import { mouthAt, restMouth } from '../../packages/engine/src/avatar/mouth.ts';
import { framesPerSecond, type Speech } from '../../packages/engine/src/media/ports.ts';
import { createSpeaker } from '../../packages/engine/src/speech/speaker.ts';

/** Read aloud one after the other, again and again. */
export const sentences = [
  'The speed of light is about three hundred thousand kilometres per second, so nothing that you throw will ever catch it.',
  'Plants turn light into sugar, and for that they need water, air and a great deal of patience.',
  'A triangle on a flat sheet of paper has angles that add up to half a turn, however you draw it.',
] as const;

export interface Material {
  readonly pictures: string;
  readonly sound: string;
}

/** The pictures and the sound that the engine makes of a tutor at rest, and of one who speaks, as files. */
export async function makeMaterial(folder: string): Promise<{ readonly idle: Material; readonly speaking: Material }> {
  await using speaker = createSpeaker({ enabled: true, edgeVoice: null });
  const speeches: Speech[] = [];
  for (const text of sentences) {
    speeches.push(await speaker.say({ text, language: 'en', voice: null, signal: new AbortController().signal }));
  }
  const renderer = createIllustrated('ada');
  const write = (name: string, pictures: readonly Uint8Array[], sound: readonly Int16Array[]): Material => {
    const material = { pictures: join(folder, `${name}.i420`), sound: join(folder, `${name}.pcm`) };
    writeFileSync(material.pictures, Buffer.concat(pictures));
    writeFileSync(
      material.sound,
      Buffer.concat(sound.map(({ buffer, byteOffset, byteLength }) => Buffer.from(buffer, byteOffset, byteLength))),
    );
    return material;
  };
  const idle = Array.from({ length: renderer.idleFrames }, (_, frame) => renderer.render(frame, restMouth).slice());
  const frameMs = 1_000 / framesPerSecond;
  let shown = 0;
  const speaking = speeches.flatMap(({ samples, visemes }) =>
    Array.from({ length: Math.floor(samples.length / 48 / frameMs) }, (_, frame) => {
      shown += 1;
      return renderer.render(shown, mouthAt(visemes, frame * frameMs)).slice();
    }),
  );
  return {
    idle: write('idle', idle, [new Int16Array(48_000)]),
    speaking: write(
      'speaking',
      speaking,
      speeches.map(({ samples }) => samples),
    ),
  };
}
