import type { Locator, Page } from 'playwright-core';
import { sayIn } from '../../packages/console/src/texts/texts.ts';

export const english = sayIn('en');
export const chinese = sayIn('zh');

/** A lesson as a person meets it: by roles and names, never by the page's inner workings. */
export class LessonPage {
  readonly page: Page;
  readonly #say: typeof english;
  readonly #tutor: string;

  constructor(page: Page, { tutor = 'Ada', say = english }: { readonly tutor?: string; readonly say?: typeof english } = {}) {
    this.page = page;
    this.#say = say;
    this.#tutor = tutor;
  }

  /** From the page of lessons into the room. */
  async start(): Promise<void> {
    await this.page.getByRole('button', { name: this.#say('startLessonWith', { name: this.#tutor }), exact: true }).click();
    await this.ready();
  }

  async ready(): Promise<void> {
    await this.status(this.#say('stateConnected')).waitFor();
  }

  get question(): Locator {
    return this.page.getByRole('textbox', { name: this.#say('questionLabel', { name: this.#tutor }) });
  }

  get turns(): Locator {
    return this.page.getByRole('list', { name: this.#say('conversation') }).locator('> li');
  }

  get stop(): Locator {
    return this.page.getByRole('button', { name: this.#say('stopTutor') });
  }

  /** The one under way, or the last one: all that the tutor said, marks included. */
  get answer(): Locator {
    return this.turns.last().locator('.said-tutor .rich-text');
  }

  /** What begins so: "Disconnected" is not "Connected", but "Connected · quoting the course" is. */
  status(text: string): Locator {
    return this.page
      .getByRole('status')
      .filter({ hasText: new RegExp(`^${text}`, 'u') })
      .first();
  }

  async ask(text: string): Promise<void> {
    await this.question.fill(text);
    await this.question.press('Enter');
  }

  async finished(): Promise<string> {
    await this.stop.waitFor({ state: 'detached' });
    return (await this.answer.textContent()) ?? '';
  }

  /** The beginning of an answer, shown while the rest is still to come. */
  async beginning(characters = 20): Promise<string> {
    await this.answer.filter({ hasText: new RegExp(`.{${characters}}`, 'su') }).waitFor();
    await this.stop.waitFor();
    return (await this.answer.textContent()) ?? '';
  }
}
