import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Locator, Page } from 'playwright-core';
import type { sayIn } from '../../packages/console/src/texts/texts.ts';
import { listeningRate } from '../../packages/engine/src/media/ports.ts';
import { english, LessonPage } from './lesson-page.ts';
import { launchStudentsBrowser } from './media-rig.ts';
import { atPeak, joined, silence } from './voices.ts';
import { wavOf } from './wav.ts';

/** A student who can talk: Chromium whose microphone plays these samples (at `listeningRate`) from when it is opened. */
export interface TalkingBrowser extends AsyncDisposable {
  readonly browser: Browser;
}

export async function launchTalkingBrowser(...said: readonly Float32Array[]): Promise<TalkingBrowser> {
  const folder = mkdtempSync(join(tmpdir(), 'student-'));
  const file = join(folder, 'microphone.wav');
  // Chromium plays nothing after the end of a file that is not repeated: a minute of a quiet room follows.
  const samples = joined(...said.map((part) => atPeak(part, 0.5)), silence(60_000));
  writeFileSync(
    file,
    wavOf(
      Int16Array.from(samples, (sample) => Math.round(sample * 32_767)),
      listeningRate,
    ),
  );
  const browser = await launchStudentsBrowser(file);
  return {
    browser,
    async [Symbol.asyncDispose]() {
      await browser.close();
      rmSync(folder, { recursive: true });
    },
  };
}

/** A spoken lesson as a person meets it. */
export class VoicePage {
  readonly page: Page;
  readonly lesson: LessonPage;
  readonly #say: ReturnType<typeof sayIn>;
  readonly #tutor: string;

  constructor(page: Page, { tutor = 'Ada', say = english }: { readonly tutor?: string; readonly say?: typeof english } = {}) {
    this.page = page;
    this.lesson = new LessonPage(page, { tutor, say });
    this.#say = say;
    this.#tutor = tutor;
  }

  get face(): Locator {
    return this.page.getByLabel(this.#say('tutorPicture', { name: this.#tutor }));
  }

  get startTalking(): Locator {
    return this.page.getByRole('button', { name: this.#say('startTalking') });
  }

  get holdToTalk(): Locator {
    return this.page.getByRole('button', { name: new RegExp(`^(${this.#say('holdToTalk')}|${this.#say('releaseToSend')})$`) });
  }

  get settings(): Locator {
    return this.page.getByRole('button', { name: this.#say('voiceSettings') });
  }

  get stage(): Locator {
    return this.page.getByRole('region', { name: this.#say('stage'), exact: true });
  }

  /** What the tutor is saying: hidden from screen readers, which have the conversation for it. */
  get caption(): Locator {
    return this.page.locator('.caption-tutor');
  }

  get spokenQuestions(): Locator {
    return this.page.getByText(this.#say('saidAloud'), { exact: true });
  }

  async start(): Promise<void> {
    await this.lesson.start();
    await this.face.waitFor();
  }

  /** Of the caption: what has been said, the word that is being said included. */
  async said(): Promise<string> {
    const spoken = await this.page.locator('.caption-said, .caption-word').allTextContents();
    return spoken.join('');
  }

  /** Pictures that the face has shown so far. */
  async pictures(): Promise<number> {
    return Number(await this.page.evaluate(`document.querySelector('video').getVideoPlaybackQuality().totalVideoFrames`));
  }

  async isMuted(): Promise<boolean> {
    return (await this.page.evaluate(`document.querySelector('video').muted`)) === true;
  }
}
