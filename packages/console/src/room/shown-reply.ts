import type { Captions, ViewedTurn } from '@virtual-tutor/sdk';

/**
 * What of a turn the conversation shows: all of it when it is read; while it is spoken, what has been
 * heard, so that the text never runs ahead of the voice.
 */
export function shownReply(turn: ViewedTurn, { spoken, heard }: { readonly spoken: boolean; readonly heard: Captions['heard'] }): string {
  const isOver = turn.status !== 'waiting' && turn.status !== 'replying';
  if (!spoken || isOver) return turn.reply;
  if (heard === null || heard.turnId !== turn.turnId) return '';
  return turn.sentences
    .map(({ index, text }) => (index < heard.index ? text : index === heard.index ? text.slice(0, heard.chars) : ''))
    .join('');
}
