import type { TurnComparison } from '@virtual-tutor/engine/scenario';
import type { Locale } from '@virtual-tutor/schemas';
import { texts } from './texts.ts';

/** From which difference on a re-run fails. Each includes those after it. */
export const failsOn = ['answer', 'citations', 'failure'] as const;
export type FailsOn = (typeof failsOn)[number];

export function isFailure({ verdict, citations }: TurnComparison, from: FailsOn): boolean {
  if (verdict === 'lost' || verdict === 'failed') return true;
  if (from === 'failure' || verdict === 'erased') return false;
  return citations === 'changed' || (from === 'answer' && verdict !== 'same');
}

const signs = { both: ' ', before: '-', now: '+' } as const;

/** One turn for people. */
export function describeTurn(turn: TurnComparison, locale: Locale): string {
  const words = texts[locale];
  const { labels } = words;
  const heading = `${words.verdicts[turn.verdict]}${turn.citations === 'changed' ? words.otherPassages : ''}`;
  if (turn.verdict === 'erased') return words.turn(turn.turn, heading);
  const title = (passages: readonly { readonly title: string }[]) => passages.map((passage) => passage.title).join('; ') || words.none;
  const revision = (value: number | null) => (value === null ? words.unnumbered : words.revision(value));
  const time = (value: number | null) => (value === null ? words.none : `${value} ms`);
  const facts: readonly (readonly [string, string])[] = [
    [labels.question, turn.question ?? ''],
    [labels.cited, change(turn.cited, title)],
    [labels.model, change(turn.model, (model) => model ?? words.none)],
    [labels.tutor, change(turn.tutorRevision, revision)],
    ...(turn.retrieved.before.length + turn.retrieved.now.length === 0
      ? []
      : [[labels.course, change(turn.knowledgeRevision, revision)] as const]),
    [labels.time, change(turn.firstTokenMs, time)],
    [labels.total, change(turn.totalMs, time)],
    ...(turn.failure.now === null ? [] : [[labels.failure, turn.failure.now] as const]),
  ];
  const difference = turn.difference.map((part) => `  ${signs[part.in]} ${part.sentence}`);
  return forTerminal([words.turn(turn.turn, heading), ...facts.map(([label, said]) => `    ${label}: ${said}`), ...difference].join('\n'));
}

function change<T>({ before, now }: { readonly before: T; readonly now: T }, say: (value: T) => string): string {
  const [then, today] = [say(before), say(now)];
  return then === today ? then : `${then} -> ${today}`;
}

/** A file from elsewhere does not move the cursor, and does not turn the writing around. */
export function forTerminal(text: string): string {
  return text.replaceAll(/[^\P{C}\n]/gu, '�');
}
