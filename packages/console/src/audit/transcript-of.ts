import type { AuditedState } from '@virtual-tutor/sdk';
import { numberOr, recordsIn, stringOr, stringsIn } from '../engine/plain-data.ts';

export type TurnStatus = 'waiting' | 'replying' | 'completed' | 'interrupted' | 'failed';

export interface ReplayedSentence {
  readonly index: number;
  /** Null: forgotten. */
  readonly text: string | null;
  readonly heard: boolean;
  readonly citations: number;
}

export interface ReplayedTurn {
  readonly turnId: string;
  readonly status: TurnStatus;
  readonly message: string | null;
  readonly sentences: readonly ReplayedSentence[];
  /** What was shown before the stop; null when it was not stopped. */
  readonly heardText: string | null;
}

const statuses: readonly TurnStatus[] = ['waiting', 'replying', 'completed', 'interrupted', 'failed'];

/** The conversation as the folded state holds it at one moment. */
export function transcriptOf(state: AuditedState['state']): readonly ReplayedTurn[] {
  return recordsIn(state['turns']).map((turn) => ({
    turnId: stringOr(turn['turnId'], ''),
    status: statuses.find((status) => status === turn['status']) ?? 'waiting',
    message: stringOr(turn['message'], null),
    heardText: stringOr(turn['heardText'], null),
    sentences: recordsIn(turn['sentences']).map((sentence) => ({
      index: numberOr(sentence['index'], 0),
      text: stringOr(sentence['text'], null),
      heard: sentence['heard'] === true,
      citations: stringsIn(sentence['citations']).length,
    })),
  }));
}
