import type { EndReason, ErrorCode, Locale, Passage, Quality, QualityReason, TurnTimings } from './contract.ts';

/** What `session.events` carries: the student's view of the durable events, and deltas of the reply in the making. */
export type FeedItem =
  | {
      readonly type: 'sessionOpened';
      readonly locale: Locale;
      readonly tutorId: string;
      readonly tutorName: string;
      readonly greeting: string;
      readonly at: string;
    }
  /** `text` is null once the student was forgotten; likewise below. */
  | {
      readonly type: 'message';
      readonly turnId: string;
      readonly clientMessageId: string;
      readonly modality: 'text' | 'voice';
      readonly text: string | null;
      readonly at: string;
    }
  | { readonly type: 'passages'; readonly turnId: string; readonly passages: readonly Passage[] }
  | {
      readonly type: 'replyStarted';
      readonly turnId: string;
      readonly provider: string;
      readonly model: string;
      readonly fallback: { readonly from: string; readonly code: ErrorCode } | null;
    }
  | { readonly type: 'delta'; readonly turnId: string; readonly index: number; readonly text: string }
  | {
      readonly type: 'sentence';
      readonly turnId: string;
      readonly index: number;
      readonly text: string | null;
      readonly citations: readonly string[];
    }
  | { readonly type: 'replyResumed'; readonly turnId: string; readonly fromIndex: number }
  | {
      readonly type: 'replyCompleted';
      readonly turnId: string;
      readonly sentences: number;
      readonly usage: { readonly promptTokens: number; readonly completionTokens: number } | null;
      readonly timings: TurnTimings;
    }
  | {
      readonly type: 'replyInterrupted';
      readonly turnId: string;
      readonly by: 'student' | 'operator' | 'timeout';
      readonly heardText: string | null;
    }
  | { readonly type: 'replyFailed'; readonly turnId: string; readonly code: ErrorCode; readonly retryable: boolean }
  | { readonly type: 'quality'; readonly from: Quality; readonly to: Quality; readonly reason: QualityReason }
  | { readonly type: 'sessionEnded'; readonly reason: EndReason }
  | { readonly type: 'caughtUp' };

/** Address of a feed item: `revision.delta`; durable items are `revision.0`. Ordered by revision, then delta. */
export interface FeedCursor {
  readonly revision: number;
  readonly delta: number;
}

/** Null for anything that is not a feed id. */
export function parseFeedId(id: string): FeedCursor | null {
  const match = /^(\d{1,10})\.(\d{1,10})$/.exec(id);
  return match === null ? null : { revision: Number(match[1]), delta: Number(match[2]) };
}

export function isAfter(a: FeedCursor, b: FeedCursor): boolean {
  return a.revision > b.revision || (a.revision === b.revision && a.delta > b.delta);
}
