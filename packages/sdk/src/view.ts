import type { SessionView, ViewedSentence, ViewedTurn } from './contract.ts';

export const emptyView: SessionView = {
  tutorId: null,
  tutorName: null,
  greeting: null,
  locale: null,
  turns: [],
  quality: 'text',
  qualityReason: null,
  ended: null,
  caughtUp: false,
};

export function turnIsOver(turn: ViewedTurn): boolean {
  return turn.status !== 'waiting' && turn.status !== 'replying';
}

export function joined(sentences: readonly ViewedSentence[]): string {
  return sentences.map((sentence) => sentence.text).join('');
}

export function findMessage(view: SessionView, clientMessageId: string): ViewedTurn | undefined {
  return view.turns.findLast((turn) => turn.clientMessageId === clientMessageId);
}

/** A finished sentence; undefined: not known yet, or not finished. */
export function textOf(view: SessionView, turnId: string, index: number): string | undefined {
  const turn = view.turns.findLast((candidate) => candidate.turnId === turnId);
  return turn?.sentences.find((sentence) => sentence.index === index && sentence.closed)?.text;
}

/** The view with this turn's `change` applied; the same object when there is no such turn or nothing changed. */
export function withTurn(view: SessionView, turnId: string, change: (turn: ViewedTurn) => ViewedTurn): SessionView {
  const at = view.turns.findLastIndex((turn) => turn.turnId === turnId);
  const before = view.turns[at];
  if (before === undefined) return view;
  const after = change(before);
  return after === before ? view : { ...view, turns: view.turns.with(at, after) };
}

export function withSentence(turn: ViewedTurn, sentence: ViewedSentence): ViewedTurn {
  const others = turn.sentences.filter(({ index }) => index !== sentence.index);
  const sentences = [...others, sentence].sort((a, b) => a.index - b.index);
  return { ...turn, sentences, reply: joined(sentences) };
}

/**
 * What stays of a reply that was cut: the finished sentences that were heard whole, and the heard
 * beginning of the next one. Made of facts of the log only, so that it is the same after a reload.
 */
export function heardSentences(finished: readonly ViewedSentence[], heardText: string): readonly ViewedSentence[] {
  const heard: ViewedSentence[] = [];
  let rest = heardText;
  for (const sentence of finished) {
    if (rest === '' || !rest.startsWith(sentence.text)) break;
    heard.push(sentence);
    rest = rest.slice(sentence.text.length);
  }
  if (rest !== '') heard.push({ index: (heard.at(-1)?.index ?? -1) + 1, text: rest, citations: [], closed: false });
  return heard;
}
