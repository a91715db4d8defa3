import type { SessionView, ViewedTurn } from './contract.ts';
import { type FeedCursor, type FeedItem, isAfter, parseFeedId } from './feed-item.ts';
import { emptyView, heardSentences, joined, turnIsOver, withSentence, withTurn } from './view.ts';

/**
 * The fold of a session's feed. A reader resumes from the last durable item it has, never from a
 * piece of a sentence: pieces of unfinished sentences then come again from their beginning, and are
 * compared with what is already shown.
 */
export interface FeedState {
  readonly view: SessionView;
  /** Newest durable item: where a new subscription goes on. */
  readonly revision: number;
  /** Newest item of this subscription. */
  readonly last: FeedCursor;
  /** Unfinished sentences whose text comes again, by turn and index, and how much of it has come. */
  readonly again: ReadonlyMap<string, string>;
}

export const emptyFeed: FeedState = { view: emptyView, revision: 0, last: { revision: 0, delta: 0 }, again: new Map() };

/** A fold with no history, or one that goes on from a kept view. Null: not a feed id. */
export function openFeed(resume?: { readonly lastEventId: string; readonly view: SessionView }): FeedState | null {
  // After the end there is nothing to go on with, and no feed says so a second time: it is read again.
  if (resume === undefined || resume.view.ended !== null) return emptyFeed;
  const last = parseFeedId(resume.lastEventId);
  if (last === null) return null;
  return resubscribed({ ...emptyFeed, view: { ...resume.view, caughtUp: false }, revision: last.revision });
}

/** Undefined before the first durable item. */
export function resumePoint(state: FeedState): string | undefined {
  return state.revision === 0 ? undefined : `${state.revision}.0`;
}

/** To be said before each subscription. */
export function resubscribed(state: FeedState): FeedState {
  const again = new Map<string, string>();
  for (const turn of state.view.turns) if (!turnIsOver(turn)) for (const key of unfinished(turn, 0)) again.set(key, '');
  return { ...state, last: { revision: state.revision, delta: 0 }, again };
}

/**
 * The same for a client that resumes by itself, after the very last item it was given: only after a
 * durable one do unfinished sentences come again from their beginning.
 */
export function restarted(state: FeedState): FeedState {
  return state.last.delta === 0 ? resubscribed(state) : state;
}

/** The next item. Items already folded, of unknown turns and of types of a newer engine change nothing. */
export function receive(state: FeedState, id: string, item: FeedItem): FeedState {
  const cursor = parseFeedId(id);
  if (cursor === null) return state;
  if (item.type === 'caughtUp') return caughtUp(state, cursor);
  if (!isAfter(cursor, state.last)) return state;
  const next = { ...state, last: cursor, revision: cursor.delta === 0 ? cursor.revision : state.revision };
  if (item.type === 'delta') return addPiece(next, item);
  return { ...next, view: viewAfter(next.view, item), again: againAfter(next, item) };
}

function caughtUp(state: FeedState, cursor: FeedCursor): FeedState {
  const last = isAfter(cursor, state.last) ? cursor : state.last;
  return { ...state, last, view: state.view.caughtUp ? state.view : { ...state.view, caughtUp: true } };
}

type Durable = Exclude<FeedItem, { type: 'delta' | 'caughtUp' }>;
type Piece = Extract<FeedItem, { type: 'delta' }>;

const keyOf = (turnId: string, index: number): string => `${turnId}#${index}`;

function unfinished(turn: ViewedTurn, fromIndex: number): readonly string[] {
  return turn.sentences.filter(({ closed, index }) => !closed && index >= fromIndex).map(({ index }) => keyOf(turn.turnId, index));
}

function addPiece(state: FeedState, { turnId, index, text }: Piece): FeedState {
  const key = keyOf(turnId, index);
  const repeated = state.again.get(key);
  const again = new Map(state.again);
  const view = withTurn(state.view, turnId, (turn) => {
    const shown = turn.sentences.find((sentence) => sentence.index === index);
    if (turnIsOver(turn) || shown?.closed === true) return turn;
    const before = shown?.text ?? '';
    const whole = (repeated ?? before) + text;
    if (repeated !== undefined && before.startsWith(whole)) {
      again.set(key, whole);
      return turn;
    }
    again.delete(key);
    return withSentence(turn, { index, text: whole, citations: [], closed: false });
  });
  return { ...state, view, again };
}

function againAfter({ view, again }: FeedState, item: Durable): ReadonlyMap<string, string> {
  if (!('turnId' in item)) return again;
  switch (item.type) {
    case 'replyResumed': {
      const turn = view.turns.findLast(({ turnId }) => turnId === item.turnId);
      const keys = turn === undefined ? [] : unfinished(turn, item.fromIndex);
      return keys.length === 0 ? again : new Map([...again, ...keys.map((key) => [key, ''] as const)]);
    }
    case 'sentence':
      return new Map([...again].filter(([key]) => key !== keyOf(item.turnId, item.index)));
    case 'replyCompleted':
    case 'replyInterrupted':
    case 'replyFailed':
      return new Map([...again].filter(([key]) => !key.startsWith(`${item.turnId}#`)));
    default:
      return again;
  }
}

function viewAfter(view: SessionView, item: Durable): SessionView {
  switch (item.type) {
    case 'sessionOpened':
      return { ...view, tutorId: item.tutorId, tutorName: item.tutorName, greeting: item.greeting, locale: item.locale };
    case 'message':
      return view.turns.some(({ turnId }) => turnId === item.turnId) ? view : { ...view, turns: [...view.turns, newTurn(item)] };
    case 'quality':
      return { ...view, quality: item.to, qualityReason: item.reason };
    case 'sessionEnded':
      return { ...view, ended: item.reason, caughtUp: true };
    default:
      return 'turnId' in item ? withTurn(view, item.turnId, (turn) => turnAfter(turn, item)) : view;
  }
}

function newTurn(item: Extract<FeedItem, { type: 'message' }>): ViewedTurn {
  return {
    turnId: item.turnId,
    clientMessageId: item.clientMessageId,
    message: item.text,
    modality: item.modality,
    sentAt: item.at,
    status: 'waiting',
    sentences: [],
    reply: '',
    passages: [],
    provider: null,
    model: null,
    fallback: null,
    failure: null,
    timings: null,
  };
}

function turnAfter(turn: ViewedTurn, item: Durable): ViewedTurn {
  if (turnIsOver(turn)) return turn;
  const finished = turn.sentences.filter(({ closed }) => closed);
  switch (item.type) {
    case 'passages':
      return { ...turn, passages: item.passages };
    case 'replyStarted':
      return { ...turn, status: 'replying', provider: item.provider, model: item.model, fallback: item.fallback };
    case 'sentence':
      return withSentence(turn, { index: item.index, text: item.text ?? '', citations: item.citations, closed: true });
    case 'replyCompleted':
      return { ...turn, status: 'completed', sentences: finished, reply: joined(finished), timings: item.timings };
    case 'replyInterrupted': {
      const sentences = item.heardText === null ? finished : heardSentences(finished, item.heardText);
      return { ...turn, status: 'interrupted', sentences, reply: joined(sentences) };
    }
    case 'replyFailed': {
      const failure = { code: item.code, retryable: item.retryable };
      return { ...turn, status: 'failed', sentences: finished, reply: joined(finished), failure };
    }
    default:
      return turn;
  }
}
