import type { SessionView, ViewedTurn } from '@virtual-tutor/sdk';

/** How far a screen reader has been told, per turn. */
export type Announced = ReadonlyMap<string, { readonly sentences: number; readonly over: boolean }>;

export type Announcement = { readonly type: 'sentence'; readonly text: string } | { readonly type: 'interrupted' | 'failed' };

export function announcedUpTo({ turns }: SessionView): Announced {
  return new Map(turns.map((turn) => [turn.turnId, { sentences: closedSentences(turn).length, over: isOver(turn) }]));
}

/** What came since, in order. */
export function announceable({ turns }: SessionView, announced: Announced): readonly Announcement[] {
  return turns.flatMap((turn) => {
    const before = announced.get(turn.turnId) ?? { sentences: 0, over: false };
    const sentences = closedSentences(turn)
      .slice(before.sentences)
      .map(({ text }): Announcement => ({ type: 'sentence', text }));
    const { status } = turn;
    const cut: readonly Announcement[] = !before.over && (status === 'interrupted' || status === 'failed') ? [{ type: status }] : [];
    return [...sentences, ...cut];
  });
}

function closedSentences(turn: ViewedTurn) {
  return turn.sentences.filter(({ closed }) => closed);
}

function isOver({ status }: ViewedTurn): boolean {
  return status === 'completed' || status === 'interrupted' || status === 'failed';
}
