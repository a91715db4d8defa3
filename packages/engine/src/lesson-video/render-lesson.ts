import { createLessonFile, type LessonFile } from '../adapters/node-av-lesson-file.ts';
import { mouthAt } from '../avatar/mouth.ts';
import type { Spoken } from '../avatar/viewers-mouth.ts';
import { framesPerSecond } from '../media/ports.ts';
import { createSpeaker } from '../speech/speaker.ts';
import { type Caption, captionsOf, captionTrack } from './captions.ts';
import { sceneAt } from './scene.ts';
import type { LessonScore } from './score.ts';
import { type Appearance, type FilmMissing, openStage, pictureSize, type Stage } from './stage.ts';
import { type PlacedSpeech, soundBetween } from './voice-track.ts';
import { type RenderedSentence, type SilentSentence, Voices } from './voices.ts';

export interface LessonToRender {
  readonly score: LessonScore;
  /** In order of their beginnings. */
  readonly appearances: readonly Appearance[];
  /** Holds one folder per filmed tutor, named by its id. */
  readonly avatarsFolder: string;
  /** The file to write. */
  readonly path: string;
}

export interface RenderedLesson {
  readonly durationMs: number;
  readonly sentences: readonly RenderedSentence[];
  readonly captions: readonly Caption[];
  /** Heard then, silent in the video. */
  readonly silent: readonly SilentSentence[];
  /** Faces in whose place a drawn one is seen. */
  readonly films: readonly FilmMissing[];
}

const frameMs = 1_000 / framesPerSecond;

/** The lesson as a video, from what the log says alone: embedded voices, no model, no network. The same lesson makes the same file. */
export async function renderLesson({ score, appearances, avatarsFolder, path }: LessonToRender): Promise<RenderedLesson> {
  await using speaker = createSpeaker({ enabled: true, edgeVoice: null });
  using stage = await openStage(appearances, avatarsFolder);
  await using file = createLessonFile({ path, width: pictureSize, height: pictureSize, locale: score.locale });
  const captions = captionsOf(score);
  const voices = new Voices(score, { speaker, appearances });
  await new Projection({ score, appearances, stage, file, voices, track: captionTrack(captions) }).run();
  await file.finish();
  return { durationMs: score.durationMs, captions, films: stage.missing, ...voices.report() };
}

interface ProjectionParts extends Pick<LessonToRender, 'score' | 'appearances'> {
  readonly stage: Stage;
  readonly file: LessonFile;
  readonly voices: Voices;
  readonly track: readonly Caption[];
}

/** Goes through the lesson frame by frame. */
class Projection {
  readonly #parts: ProjectionParts;
  #captions = 0;

  constructor(parts: ProjectionParts) {
    this.#parts = parts;
  }

  async run(): Promise<void> {
    const { score, file, voices } = this.#parts;
    const { durationMs } = score;
    for (let atMs = 0; atMs < durationMs; atMs += frameMs) {
      const endMs = Math.min(atMs + frameMs, durationMs);
      const placed = await voices.between(atMs, endMs);
      await file.addFrame(await this.#picture(atMs, placed), { atMs, lastsMs: Math.max(1, Math.round(endMs) - atMs) });
      await this.#caption(endMs);
      await file.addSound(soundBetween(atMs, endMs, placed));
    }
  }

  #picture(atMs: number, placed: readonly PlacedSpeech[]) {
    const { score, appearances, stage } = this.#parts;
    const { appearance, mouthMoves } = sceneAt(atMs, score, appearances);
    return stage.next(appearance, mouthMoves ? spokenAt(placed, atMs) : null);
  }

  async #caption(beforeMs: number): Promise<void> {
    const { track, file } = this.#parts;
    for (let caption = track[this.#captions]; caption !== undefined && caption.startMs < beforeMs; caption = track[this.#captions]) {
      const { text, startMs, endMs } = caption;
      await file.addCaption(text, { atMs: startMs, lastsMs: endMs - startMs });
      this.#captions += 1;
    }
  }
}

function spokenAt(placed: readonly PlacedSpeech[], atMs: number): Spoken | null {
  const now = placed.find(({ sentence }) => sentence.startMs <= atMs && atMs < sentence.startMs + sentence.heardMs);
  if (now === undefined || now.speech === null) return null;
  const inSentenceMs = atMs - now.sentence.startMs;
  return { mouth: mouthAt(now.speech.visemes, inSentenceMs), speech: now.speech, atMs: inSentenceMs };
}
