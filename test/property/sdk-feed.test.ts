import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { SessionView, TurnEvent } from '../../packages/sdk/src/contract.ts';
import { type FeedState, openFeed, receive, resubscribed, resumePoint } from '../../packages/sdk/src/feed.ts';
import { parseFeedId } from '../../packages/sdk/src/feed-item.ts';
import { lessonEvents } from '../../packages/sdk/src/turn-events.ts';
import { completed, opening, question, turnNumber } from '../support/scripted-engine.ts';
import { ScriptedLesson, ScriptedReader } from '../support/scripted-lesson.ts';

type Step =
  /** The model goes on with the sentence as planned, or says something else. */
  | { readonly kind: 'say'; readonly length: number; readonly instead: string | null }
  | { readonly kind: 'close' }
  | { readonly kind: 'commit' }
  | { readonly kind: 'takeOver' }
  | { readonly kind: 'read'; readonly items: number }
  | { readonly kind: 'cut' }
  | { readonly kind: 'reload' };

type Ending = 'completed' | 'interrupted' | 'failed';

interface Reply {
  readonly plan: readonly string[];
  readonly steps: readonly Step[];
  readonly ending: Ending;
  /** Share of what was said that counts as heard when interrupted. */
  readonly heard: number;
}

/** One host writing a reply into the lesson, sentence by sentence, as the engine does. */
class Host {
  readonly #lesson: ScriptedLesson;
  readonly #turnId;
  readonly #plan: readonly string[];
  /** Committed sentences; then those finished but not yet committed; then the one being written. */
  committed: string[] = [];
  #finished: string[] = [];
  #writing = '';

  constructor(lesson: ScriptedLesson, turnId: ReturnType<typeof turnNumber>, plan: readonly string[]) {
    this.#lesson = lesson;
    this.#turnId = turnId;
    this.#plan = plan;
  }

  say(length: number, instead: string | null): void {
    const planned = (this.#plan[this.#index] ?? '').slice(this.#writing.length);
    const text = instead ?? planned.slice(0, length);
    if (text === '') return;
    this.#writing += text;
    this.#lesson.piece(this.#index, text);
  }

  close(): void {
    if (this.#writing === '') return;
    this.#finished.push(this.#writing);
    this.#writing = '';
  }

  commit(): void {
    const text = this.#finished.shift();
    if (text === undefined) return;
    this.#lesson.append({ type: 'sentence', turnId: this.#turnId, index: this.committed.length, text, citations: [] });
    this.committed.push(text);
  }

  /** Whatever was not committed is gone with the host. */
  takeOver(): void {
    this.#finished = [];
    this.#writing = '';
    this.#lesson.append({ type: 'replyResumed', turnId: this.#turnId, fromIndex: this.committed.length });
  }

  /** The reply's text as the log has it in the end. */
  end(ending: Ending, heard: number): string {
    if (ending === 'completed') {
      this.close();
      while (this.#finished.length > 0) this.commit();
      this.#lesson.append(completed(this.#turnId, this.committed.length));
      return this.committed.join('');
    }
    if (ending === 'failed') {
      this.#lesson.append({ type: 'replyFailed', turnId: this.#turnId, code: 'model_unavailable', retryable: true });
      return this.committed.join('');
    }
    const said = [...this.committed, ...this.#finished, this.#writing].join('');
    const heardText = said.slice(0, Math.floor(said.length * heard));
    this.#lesson.append({ type: 'replyInterrupted', turnId: this.#turnId, by: 'student', heardText });
    return heardText;
  }

  get #index(): number {
    return this.committed.length + this.#finished.length;
  }
}

/** Puts a reader's events together again: what she would see on her screen. */
class Screen {
  readonly #texts = new Map<string, Map<number, string>>();
  readonly done = new Map<string, string>();
  rewrites = 0;

  constructor(view: SessionView) {
    for (const turn of view.turns) this.#texts.set(turn.turnId, new Map(turn.sentences.map(({ index, text }) => [index, text])));
  }

  show(events: readonly TurnEvent[]): void {
    for (const event of events) this.#apply(event);
  }

  reply(turnId: string): string {
    return [...(this.#texts.get(turnId) ?? [])]
      .sort(([a], [b]) => a - b)
      .map(([, text]) => text)
      .join('');
  }

  #apply(event: TurnEvent): void {
    const texts = this.#texts.get(event.turnId) ?? new Map<number, string>();
    this.#texts.set(event.turnId, texts);
    expect(this.done.has(event.turnId), 'nothing follows the end of a turn').toBe(false);
    switch (event.type) {
      case 'text':
        expect(event.delta).not.toBe('');
        texts.set(event.index, (texts.get(event.index) ?? '') + event.delta);
        break;
      case 'rewrite':
        this.rewrites += 1;
        texts.set(event.index, event.text);
        break;
      case 'sentence':
        expect(texts.get(event.index)).toBe(event.text);
        break;
      case 'done':
        this.done.set(event.turnId, event.reply);
        break;
      case 'passages':
        break;
    }
  }
}

/** A client: folds a feed over any number of subscriptions and reloads, with a prompt and a lagging reader. */
class Client {
  readonly #lesson: ScriptedLesson;
  #state: FeedState = feedFrom();
  #reader: ScriptedReader;
  #sampled: SessionView;
  prompt: Screen;
  lagging: Screen;
  rewrites = 0;

  constructor(lesson: ScriptedLesson) {
    this.#lesson = lesson;
    this.#reader = this.#subscribe();
    this.#sampled = this.#state.view;
    this.prompt = new Screen(this.#state.view);
    this.lagging = new Screen(this.#state.view);
  }

  get view(): SessionView {
    return this.#state.view;
  }

  read(items: number): void {
    for (let count = 0; count < items; count += 1) {
      const next = this.#reader.next();
      if (next === null) break;
      const before = this.#state.view;
      this.#state = receive(this.#state, next.id, next.item);
      this.prompt.show(lessonEvents(before, this.#state.view));
      // Twice the same item is as good as once.
      expect(receive(this.#state, next.id, next.item).view).toBe(this.#state.view);
    }
    this.lagging.show(lessonEvents(this.#sampled, this.#state.view));
    this.#sampled = this.#state.view;
  }

  cut(): void {
    this.#reader = this.#subscribe();
  }

  /** As a page does that kept the view and its resume point over a reload. */
  reload(): void {
    const { view } = this.#state;
    const lastEventId = resumePoint(this.#state);
    this.rewrites += this.prompt.rewrites;
    this.#state = feedFrom(lastEventId === undefined ? undefined : { lastEventId, view: structuredClone(view) });
    this.#sampled = this.#state.view;
    this.prompt = new Screen(this.#state.view);
    this.lagging = new Screen(this.#state.view);
    this.cut();
  }

  #subscribe(): ScriptedReader {
    this.#state = resubscribed(this.#state);
    return new ScriptedReader(this.#lesson, parseFeedId(resumePoint(this.#state) ?? '0.0') ?? { revision: 0, delta: 0 });
  }
}

function feedFrom(resume?: { readonly lastEventId: string; readonly view: SessionView }): FeedState {
  const state = openFeed(resume);
  if (state === null) throw new Error('not a feed id');
  return state;
}

function play(replies: readonly Reply[]): void {
  const lesson = new ScriptedLesson();
  lesson.append(opening);
  const client = new Client(lesson);
  let rewritable = false;
  replies.forEach(({ plan, steps, ending, heard }, number) => {
    const turnId = turnNumber(number);
    for (const item of question(turnId, { clientMessageId: `message-${number}`, text: 'Why?' })) lesson.append(item);
    const host = new Host(lesson, turnId, plan);
    for (const step of steps) perform(step, host, client);
    rewritable ||= ending !== 'completed' || steps.some(({ kind }) => kind === 'takeOver');
    const final = host.end(ending, heard);
    client.read(Number.POSITIVE_INFINITY);
    for (const screen of [client.prompt, client.lagging]) {
      expect(screen.done.get(turnId)).toBe(final);
      expect(screen.reply(turnId)).toBe(final);
    }
    expect(client.view.turns.at(-1)).toMatchObject({ turnId, status: ending, reply: final });
  });
  if (!rewritable) expect(client.rewrites + client.prompt.rewrites).toBe(0);
  const fresh = new Client(lesson);
  fresh.read(Number.POSITIVE_INFINITY);
  expect(client.view).toEqual(fresh.view);
}

function perform(step: Step, host: Host, client: Client): void {
  switch (step.kind) {
    case 'say':
      host.say(step.length, step.instead);
      break;
    case 'read':
      client.read(step.items);
      break;
    case 'close':
    case 'commit':
    case 'takeOver':
      host[step.kind]();
      break;
    case 'cut':
    case 'reload':
      client[step.kind]();
      break;
  }
}

const text = fc.string({ unit: fc.constantFrom('a', 'b', ' ', '。', '天', '🙂'), minLength: 1, maxLength: 12 });
const say = fc.record({ kind: fc.constant('say' as const), length: fc.integer({ min: 1, max: 6 }), instead: fc.constant(null) });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: say },
  { weight: 3, arbitrary: fc.constant({ kind: 'close' as const }) },
  { weight: 3, arbitrary: fc.constant({ kind: 'commit' as const }) },
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('read' as const), items: fc.integer({ min: 1, max: 6 }) }) },
  { weight: 3, arbitrary: fc.constant({ kind: 'cut' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'reload' as const }) },
);
const accident: fc.Arbitrary<Step> = fc.oneof(
  { weight: 12, arbitrary: step },
  { weight: 1, arbitrary: fc.constant({ kind: 'takeOver' as const }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('say' as const), length: fc.constant(1), instead: text }) },
);
const plan = fc.array(text, { minLength: 1, maxLength: 4 });
const runs = { numRuns: 1_000 };

test('a reply that nobody interrupts is never rewritten, however it is cut, resumed and reloaded', () => {
  const reply = fc.record({
    plan,
    steps: fc.array(step, { maxLength: 50 }),
    ending: fc.constant('completed' as const),
    heard: fc.constant(1),
  });
  fc.assert(fc.property(fc.array(reply, { minLength: 1, maxLength: 3 }), play), runs);
});

test('after take-overs, changed texts, interruptions and failures the pieces add up to what the log says', () => {
  const reply = fc.record({
    plan,
    steps: fc.array(accident, { maxLength: 60 }),
    ending: fc.constantFrom<Ending>('completed', 'interrupted', 'failed'),
    heard: fc.double({ min: 0, max: 1, noNaN: true }),
  });
  fc.assert(fc.property(fc.array(reply, { minLength: 1, maxLength: 3 }), play), runs);
});
