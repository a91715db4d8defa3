import { TurnId } from '@virtual-tutor/schemas';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createGate, createScriptedLlm, type Gate } from '../../packages/engine/src/fakes.ts';
import { LiveReply } from '../../packages/server/src/app/live-reply.ts';
import { isTerminal, openVoiceLesson, truthOf, type VoiceLesson } from '../support/voice-lesson.ts';

const turnId = TurnId.parse('11111111-1111-5111-8111-111111111111');
const word = fc.constantFrom('Sky', 'blue', 'is', 'air', '蓝色', 'why', 'light', '1.5', '**bold**');
const sentence = fc.array(word, { minLength: 1, maxLength: 5 }).map((words) => `${words.join(' ')}. `);

type LiveStep =
  | { readonly do: 'make' | 'close' | 'say' | 'commit' | 'unspoken' | 'lose' }
  | { readonly do: 'show' | 'play'; readonly much: number };

const liveStep: fc.Arbitrary<LiveStep> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('make' as const, 'close' as const, 'say' as const, 'commit' as const) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('show' as const, 'play' as const), much: fc.nat({ max: 30 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('unspoken' as const, 'lose' as const) }) },
);

/** A reply with everything that may happen to it, in any order that hosts, readers and voices may bring about. */
class LiveModel {
  readonly texts: readonly string[];
  readonly heard: number[] = [];
  readonly live = new LiveReply(turnId, 1, (index) => this.heard.push(index));
  /** Characters made, and pieces of them. */
  #made = 0;
  #pieces = 0;
  #closed = 0;
  #committed = 0;
  /** The voice's line, and how much of its first sentence was said. */
  readonly #line: number[] = [];
  #saidTo = 0;
  #sayNext = false;

  constructor(texts: readonly string[]) {
    this.texts = texts;
  }

  get generated(): string {
    return this.texts.slice(0, this.#closed).join('') + (this.texts[this.#closed] ?? '').slice(0, this.#made);
  }

  take(step: LiveStep): void {
    const text = this.texts[this.#closed];
    switch (step.do) {
      case 'make': {
        if (text === undefined) return;
        const piece = text.slice(this.#made, this.#made + 3);
        if (piece === '') return;
        this.#made += piece.length;
        this.#pieces += 1;
        this.live.push({ index: this.#closed, text: piece, madeAtMs: 0 });
        return;
      }
      case 'close':
        if (text === undefined || this.#made < text.length) return;
        if (this.#sayNext) {
          this.live.givenToVoice(this.#closed);
          this.#line.push(this.#closed);
        }
        this.#sayNext = false;
        this.live.closed(this.#closed);
        this.#closed += 1;
        this.#made = 0;
        return;
      case 'say':
        this.#sayNext = true;
        return;
      case 'commit':
        if (this.#committed < this.#closed) this.live.committed(this.#committed, 2 + this.#committed);
        this.#committed = Math.min(this.#closed, this.#committed + 1);
        return;
      case 'show':
        this.live.shown({ revision: Math.min(step.much, 1 + this.#committed), ordinal: Math.min(step.much, this.#pieces) });
        return;
      case 'play':
        this.#play(step.much);
        return;
      case 'unspoken': {
        const index = this.#line.shift();
        this.#saidTo = 0;
        if (index !== undefined) this.live.unspoken(index);
        return;
      }
      case 'lose':
        this.#line.length = 0;
        this.#saidTo = 0;
        this.live.voiceLost();
    }
  }

  #play(chars: number): void {
    const index = this.#line[0];
    if (index === undefined) return;
    const text = this.texts[index] ?? '';
    this.#saidTo = Math.min(text.length, this.#saidTo + chars);
    this.live.played({ index, chars: this.#saidTo, heardMs: this.#saidTo * 50 });
    if (this.#saidTo < text.length) return;
    this.#line.shift();
    this.#saidTo = 0;
    this.live.playedWhole(index, { heardMs: text.length * 50, durationMs: text.length * 50 });
  }
}

describe('what a reply in the making counts as heard', () => {
  test('is a beginning of what was generated, sentence by sentence, whatever happens in whatever order', () => {
    fc.assert(
      fc.property(
        fc.array(sentence, { minLength: 1, maxLength: 5 }),
        fc.array(liveStep, { minLength: 5, maxLength: 120 }),
        (texts, steps) => {
          const model = new LiveModel(texts);
          let before = '';
          for (const step of steps) {
            model.take(step);
            expect(model.heard).toEqual(model.heard.map((_, nth) => nth));
            const whole = texts.slice(0, model.heard.length).join('');
            const cut = whole + model.live.cutFrom(model.heard.length).partial;
            expect(model.generated.startsWith(cut)).toBe(true);
            // Nothing that was heard is unheard again.
            expect(cut.startsWith(before.slice(0, whole.length))).toBe(true);
            before = cut;
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  test('is all of it, once, when everything was said or read', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(sentence, { minLength: 1, maxLength: 5 }), fc.array(liveStep, { maxLength: 60 }), async (texts, steps) => {
        const model = new LiveModel(texts);
        for (const step of steps) model.take(step);
        for (let nth = 0; nth < 200; nth += 1) for (const what of ['make', 'close', 'commit'] as const) model.take({ do: what });
        model.live.generated();
        for (let nth = 0; nth < 200; nth += 1) model.take({ do: 'play', much: 30 });
        model.take({ do: 'show', much: 10_000 });
        await model.live.settled;
        expect(model.heard).toEqual(texts.map((_, nth) => nth));
      }),
      { numRuns: 200 },
    );
  });
});

type LessonStep =
  | { readonly do: 'more' | 'bargeIn' | 'button' | 'ask' | 'lose' | 'crash' | 'connect' | 'cannotSay' | 'settle' }
  | { readonly do: 'play'; readonly chars: number };

const lessonStep: fc.Arbitrary<LessonStep> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('play' as const), chars: fc.integer({ min: 1, max: 40 }) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('more' as const, 'settle' as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom(
        'bargeIn' as const,
        'button' as const,
        'ask' as const,
        'lose' as const,
        'crash' as const,
        'connect' as const,
        'cannotSay' as const,
      ),
    }),
  },
);

async function take(lesson: VoiceLesson, step: LessonStep, more: () => void): Promise<void> {
  const { plane, sessionId } = lesson;
  const connected = plane.isOpen(sessionId);
  switch (step.do) {
    case 'more':
      return more();
    case 'settle':
      for (let tick = 0; tick < 20; tick += 1) await new Promise((resolve) => setImmediate(resolve));
      return;
    case 'play':
      plane.play(sessionId, step.chars);
      return;
    case 'bargeIn':
      if (connected) plane.bargeIn(sessionId);
      return;
    case 'button': {
      const turn = (await lesson.events()).findLast(({ type }) => type === 'MessageReceived');
      if (turn?.type === 'MessageReceived') await lesson.interrupt(turn.payload.turnId).catch(() => undefined);
      return;
    }
    case 'ask':
      await lesson.ask('And now?');
      return;
    case 'lose':
      if (connected) plane.lose(sessionId);
      return;
    case 'crash':
      plane.crash();
      return;
    case 'connect':
      await lesson.connect();
      return;
    case 'cannotSay':
      if (connected) plane.cannotSay(sessionId);
  }
}

type Events = Awaited<ReturnType<VoiceLesson['events']>>;

function turnsOf(events: Events): readonly TurnId[] {
  return events.flatMap((event) => (event.type === 'MessageReceived' ? [event.payload.turnId] : []));
}

/** What the engine workers know that the student heard of a reply. */
function saidOf({ plane }: VoiceLesson, turn: TurnId): string {
  const upTo = plane.upTo.get(turn);
  const said = plane.said(turn);
  return upTo === undefined ? '' : said.slice(0, upTo.index).join('') + (said[upTo.index] ?? '').slice(0, upTo.chars);
}

/** Lives these steps with one model that waits before each sentence but the first, then hears everything out. */
async function live(
  lesson: VoiceLesson,
  { steps, gates }: { readonly steps: readonly LessonStep[]; readonly gates: readonly Gate[] },
): Promise<Events> {
  await lesson.connect();
  await lesson.ask('Why?');
  let opened = 0;
  for (const step of steps) {
    await take(lesson, step, () => {
      gates[opened]?.open();
      opened += 1;
    });
  }
  for (const gate of gates) gate.open();
  using _page = lesson.read();
  return await lesson.until((all) => {
    lesson.plane.playAll(lesson.sessionId);
    return all.filter(isTerminal).length === turnsOf(all).length;
  });
}

function checkTurn(truth: ReturnType<typeof truthOf>, texts: readonly string[]): void {
  expect(truth.terminals).toHaveLength(1);
  expect(truth.playouts.map(({ index }) => index)).toEqual(truth.playouts.map((_, nth) => nth));
  if (truth.terminals[0] === 'ReplyCompleted') expect(truth.heard).toBe(truth.generated);
  expect(texts.join('').startsWith(truth.heard)).toBe(true);
}

const replies = fc.array(sentence, { minLength: 1, maxLength: 4 });

function gated(texts: readonly string[]) {
  const gates = texts.map(() => createGate());
  const llm = createScriptedLlm({ play: () => gates.flatMap((gate, nth) => [texts[nth] ?? '', { wait: gate }]) });
  return { gates, llm };
}

describe('a lesson with a voice', () => {
  test('ends every turn once, whatever happens to the voice and when (barge-in and lost media at any moment)', async () => {
    await fc.assert(
      fc.asyncProperty(replies, fc.array(lessonStep, { minLength: 3, maxLength: 25 }), fc.boolean(), async (texts, steps, reads) => {
        const { gates, llm } = gated(texts);
        await using lesson = await openVoiceLesson({ llm });
        using _page = reads ? lesson.read() : null;
        const events = await live(lesson, { steps, gates });
        expect(lesson.defects).toEqual([]);
        for (const turn of turnsOf(events)) checkTurn(truthOf(events, turn), texts);
        // What the log calls said was said to its end.
        for (const { type, payload } of events) {
          if (type === 'SentenceHeard' && payload.playout.medium === 'voice')
            expect(lesson.plane.heardWhole).toContain(`${payload.turnId} ${payload.index}`);
        }
      }),
      { numRuns: 80, endOnFailure: true },
    );
  }, 120_000);

  test('has in its log exactly the words that were heard, while the voice lasts, whatever a page shows', async () => {
    const undisturbed = lessonStep.filter((step) => !['lose', 'crash', 'cannotSay', 'connect'].includes(step.do));
    await fc.assert(
      fc.asyncProperty(replies, fc.array(undisturbed, { minLength: 3, maxLength: 25 }), fc.boolean(), async (texts, steps, reads) => {
        const { gates, llm } = gated(texts);
        await using lesson = await openVoiceLesson({ llm });
        using _page = reads ? lesson.read() : null;
        const events = await live(lesson, { steps, gates });
        for (const turn of turnsOf(events)) {
          const truth = truthOf(events, turn);
          checkTurn(truth, texts);
          expect(truth.heard).toBe(saidOf(lesson, turn));
        }
      }),
      { numRuns: 80, endOnFailure: true },
    );
  }, 120_000);
});
