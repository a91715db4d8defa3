import { type Locale, type NewSessionEvent, type SessionEvent, TurnId } from '@virtual-tutor/schemas';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { lessonScore } from './lesson-score.ts';
import type { LoggedEvent } from './score.ts';

const turn = (nth: number) => TurnId.parse(`11111111-1111-4111-8111-${String(nth).padStart(12, '0')}`);
const startedAtMs = Date.UTC(2026, 0, 1);
const clientMessageId = '11111111-1111-4111-8111-111111111111';

/** Events with their time after the first. */
type Told = readonly [atMs: number, event: NewSessionEvent];

function logOf(...told: readonly Told[]): readonly LoggedEvent[] {
  return told.map(([atMs, event]) => ({ atMs: startedAtMs + atMs, event }));
}

function asked(turnId: TurnId, text: string, language: Locale = 'en'): NewSessionEvent {
  return {
    type: 'MessageReceived',
    payload: { turnId, clientMessageId, modality: 'text', language, asr: null },
    personal: { text },
  };
}

function generated(turnId: TurnId, index: number, text: string): NewSessionEvent {
  return { type: 'SentenceGenerated', payload: { turnId, index, citations: [] }, personal: { text } };
}

function spoken(turnId: TurnId, index: number, durationMs: number): NewSessionEvent {
  return { type: 'SentenceHeard', payload: { turnId, index, playout: { medium: 'voice', heardMs: durationMs, durationMs } } };
}

function wasRead(turnId: TurnId, index: number): NewSessionEvent {
  return { type: 'SentenceHeard', payload: { turnId, index, playout: { medium: 'text' } } };
}

function cutOff(
  turnId: TurnId,
  heardSentences: number,
  { heardText, heardMs }: { heardText: string; heardMs: number | null },
): NewSessionEvent {
  return {
    type: 'ReplyInterrupted',
    payload: { turnId, by: 'student', heardSentences, discardedSentences: 1, heardMs },
    personal: { heardText },
  };
}

/** Of no meaning to the score but that something happened. */
const something: NewSessionEvent = { type: 'SessionReleased', payload: { epoch: 1, reason: 'shutdown' } };
const one = turn(1);

describe('the score of a lesson', () => {
  test('a sentence ends when it was known to be heard, and began its length before', () => {
    const { sentences, durationMs } = lessonScore(
      logOf(
        [0, asked(one, 'Why?')],
        [100, generated(one, 0, 'So. ')],
        [110, generated(one, 1, 'Yes.')],
        [2_000, spoken(one, 0, 1_500)],
        [3_010, spoken(one, 1, 1_000)],
      ),
    );
    expect(sentences).toMatchObject([
      { index: 0, text: 'So. ', startMs: 500, heardMs: 1_500, durationMs: 1_500, cut: false },
      { index: 1, text: 'Yes.', startMs: 2_010, heardMs: 1_000 },
    ]);
    expect(durationMs).toBe(3_010);
  });

  test('facts that waited for the log together come out one after the other', () => {
    const events = logOf(
      [0, asked(one, 'Why?')],
      [9_000, spoken(one, 0, 1_000)],
      [9_000, spoken(one, 1, 2_000)],
      [9_000, spoken(one, 2, 3_000)],
    );
    expect(lessonScore(events).sentences.map(({ startMs }) => startMs)).toEqual([3_000, 4_000, 6_000]);
  });

  test('of a sentence that was cut, only what was heard counts, and it ends where the reply was interrupted', () => {
    const cut = cutOff(one, 1, { heardText: 'So. Ever', heardMs: 400 });
    const { sentences } = lessonScore(
      logOf(
        [0, asked(one, 'Why?')],
        [10, generated(one, 0, 'So. ')],
        [10, generated(one, 1, 'Ever since.')],
        [1_000, spoken(one, 0, 900)],
        [1_500, cut],
      ),
    );
    expect(sentences.at(-1)).toMatchObject({
      index: 1,
      startMs: 1_100,
      heardMs: 400,
      durationMs: null,
      heardText: 'Ever',
      text: 'Ever since.',
      cut: true,
    });
  });

  test('one that was heard to its end an instant before the cut is whole, and its length is not made up', () => {
    const cut = cutOff(one, 0, { heardText: 'So. Ever', heardMs: 400 });
    const { sentences } = lessonScore(
      logOf([0, asked(one, 'Why?')], [10, generated(one, 0, 'So. ')], [10, generated(one, 1, 'Ever since.')], [1_500, cut]),
    );
    expect(sentences).toMatchObject([
      { index: 0, medium: 'text', heardText: 'So. ', heardMs: 0, cut: false },
      { index: 1, medium: 'voice', heardText: 'Ever', heardMs: 400, cut: true },
    ]);
  });

  test('a reply that was read in part is cut in writing; one of which nothing came is not there', () => {
    const read = cutOff(one, 0, { heardText: 'So', heardMs: null });
    const nothing = cutOff(turn(2), 0, { heardText: '', heardMs: null });
    const { sentences } = lessonScore(
      logOf([0, asked(one, 'Why?')], [10, generated(one, 0, 'So it is.')], [500, read], [600, asked(turn(2), 'And?')], [700, nothing]),
    );
    expect(sentences).toMatchObject([{ turnId: one, medium: 'text', heardText: 'So', startMs: 500, heardMs: 0, cut: true }]);
  });

  test('what the student said lies before its recognition', () => {
    const asr = { engine: 'moonshine', model: 'tiny', asrMs: 300, durationMs: 1_200 };
    const said: NewSessionEvent = {
      type: 'MessageReceived',
      payload: { turnId: one, clientMessageId, modality: 'voice', language: 'zh', asr },
      personal: { text: '为什么？' },
    };
    expect(lessonScore(logOf([0, something], [5_000, said])).student).toEqual([
      { turnId: one, language: 'zh', modality: 'voice', text: '为什么？', startMs: 3_500, endMs: 4_700 },
    ]);
  });

  test('words that were erased leave their times', () => {
    const events = logOf(
      [0, asked(one, 'Why?')],
      [10, generated(one, 0, 'So.')],
      [1_000, spoken(one, 0, 900)],
      [2_000, cutOff(one, 1, { heardText: 'So.', heardMs: 500 })],
    );
    const erased = events.map(({ atMs, event }): LoggedEvent => ({ atMs, event: withoutWords(event) }));
    const { sentences, student } = lessonScore(erased);
    expect(sentences).toMatchObject([
      { text: null, heardText: null, startMs: 100, heardMs: 900 },
      { text: null, heardText: null, startMs: 1_500, heardMs: 500, cut: true },
    ]);
    expect(student).toMatchObject([{ text: null, startMs: 0 }]);
  });

  test('what happens after its end is no part of it', () => {
    const ended: NewSessionEvent = { type: 'SessionEnded', payload: { reason: 'student' } };
    expect(lessonScore(logOf([0, something], [5_000, ended], [86_400_000, something])).durationMs).toBe(5_000);
  });

  test('a clock that goes back stops', () => {
    const { durationMs, student } = lessonScore(logOf([0, something], [5_000, something], [3_000, asked(one, 'Why?')]));
    expect([durationMs, student[0]?.startMs]).toEqual([5_000, 5_000]);
  });
});

function withoutWords(event: SessionEvent): SessionEvent {
  return 'personal' in event ? { ...event, personal: null } : event;
}

/** Replies with their sentences, each spoken or read, and when their facts came: any lesson, also one that no clock would allow. */
const sentence = fc.record({ voice: fc.boolean(), durationMs: fc.nat({ max: 5_000 }), afterMs: fc.nat({ max: 6_000 }) });
const reply = fc.record({
  sentences: fc.array(sentence, { maxLength: 6 }),
  cutMs: fc.option(fc.nat({ max: 3_000 })),
  afterMs: fc.nat({ max: 3_000 }),
});

type Reply = typeof reply extends fc.Arbitrary<infer R> ? R : never;

/** What the log says of these replies, one after the other; and how much of them was heard. */
function toldOf(replies: readonly Reply[]): { readonly told: readonly Told[]; readonly heardMs: number; readonly endedAtMs: number } {
  let atMs = 0;
  const told: Told[] = [[0, something]];
  const tell = (afterMs: number, event: NewSessionEvent) => {
    atMs += afterMs;
    told.push([atMs, event]);
  };
  for (const [nth, { sentences, cutMs, afterMs }] of replies.entries()) {
    const turnId = turn(nth + 1);
    tell(afterMs, asked(turnId, 'Why?'));
    for (const [index, { voice, durationMs, afterMs: laterMs }] of sentences.entries()) {
      tell(0, generated(turnId, index, `${index}. `));
      tell(laterMs, voice ? spoken(turnId, index, durationMs) : wasRead(turnId, index));
    }
    if (cutMs === null) continue;
    const before = sentences.map((_, index) => `${index}. `).join('');
    tell(0, generated(turnId, sentences.length, 'Never whole.'));
    tell(afterMs, cutOff(turnId, sentences.length, { heardText: `${before}Never`, heardMs: cutMs }));
  }
  const voices = replies.flatMap(({ sentences }) => sentences.filter(({ voice }) => voice));
  const cuts = replies.reduce((sum, { cutMs }) => sum + (cutMs ?? 0), 0);
  return { told, heardMs: voices.reduce((sum, { durationMs }) => sum + durationMs, cuts), endedAtMs: atMs };
}

test('whatever the log holds: voices never overlap, and as much is heard as it says', () => {
  fc.assert(
    fc.property(fc.array(reply, { maxLength: 6 }), (replies) => {
      const { told, heardMs, endedAtMs } = toldOf(replies);
      const score = lessonScore(logOf(...told));
      const voices = score.sentences.filter(({ medium }) => medium === 'voice');
      expect(voices.reduce((sum, voice) => sum + voice.heardMs, 0)).toBe(heardMs);
      let endMs = 0;
      for (const voice of voices) {
        expect(voice.startMs).toBeGreaterThanOrEqual(endMs);
        endMs = voice.startMs + voice.heardMs;
      }
      expect(score.durationMs).toBe(Math.max(endedAtMs, endMs));
    }),
  );
});

test('a lesson that could have been: every voice ends by the time that its fact is there, and begins no earlier than it did', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ durationMs: fc.nat({ max: 5_000 }), pauseMs: fc.nat({ max: 2_000 }), lateMs: fc.nat({ max: 4_000 }) })),
      (played) => {
        let clockMs = 0;
        let knownMs = 0;
        const told: Told[] = [[0, asked(one, 'Why?')]];
        const truth = played.map(({ durationMs, pauseMs, lateMs }, index) => {
          const startMs = clockMs + pauseMs;
          clockMs = startMs + durationMs;
          // Facts come in order.
          knownMs = Math.max(knownMs, clockMs + lateMs);
          told.push([knownMs, spoken(one, index, durationMs)]);
          return { startMs, knownMs };
        });
        for (const [nth, { startMs, heardMs }] of lessonScore(logOf(...told)).sentences.entries()) {
          expect(startMs).toBeGreaterThanOrEqual(truth[nth]?.startMs ?? Number.NaN);
          expect(startMs + heardMs).toBeLessThanOrEqual(truth[nth]?.knownMs ?? Number.NaN);
        }
      },
    ),
  );
});
