import type { Grant, MediaChunk, Signal, WebrtcConfig } from './contract.ts';
import type { FeedItem } from './feed-item.ts';

export interface FeedQuery {
  readonly sessionId: string;
  /** Undefined: from the beginning. */
  readonly lastEventId: string | undefined;
  readonly onItem: (id: string, item: FeedItem) => void;
}

/**
 * One connection of one session, from its opening to its loss; the next one is a new link. Calls
 * that were under way when it broke reject with `LinkLost`: the engine may have done them.
 */
export interface Link {
  /** Aborted, with the reason, once this link is of no more use. */
  readonly down: AbortSignal;
  /** Hands on the session's feed. Resolves when the engine stops it, rejects when the link goes down. */
  follow(query: FeedQuery): Promise<void>;
  send(message: SentMessage, signal: AbortSignal): Promise<{ readonly turnId: string }>;
  interrupt(
    reply: { readonly sessionId: string; readonly turnId: string | undefined },
    signal: AbortSignal,
  ): Promise<{ readonly turnId: string }>;
  renewToken(sessionId: string, signal: AbortSignal): Promise<Grant>;
  mediaConfig(sessionId: string, signal: AbortSignal): Promise<WebrtcConfig>;
  negotiate(
    offer: { readonly sessionId: string; readonly peerId: string; readonly offer: string },
    signal: AbortSignal,
  ): Promise<{ readonly answer: string }>;
  /** `pcm`: base64 of 16-bit little-endian samples at 16 kHz. */
  appendAudio(audio: { readonly sessionId: string; readonly pcm: string }, signal: AbortSignal): Promise<void>;
  commitAudio(sessionId: string, signal: AbortSignal): Promise<void>;
  /** Live, never resumed; ends as `follow` does, or when the signal aborts. */
  signals(query: LiveQuery<Signal>, signal: AbortSignal): Promise<void>;
  chunks(query: LiveQuery<MediaChunk>, signal: AbortSignal): Promise<void>;
  /** Resolves when nothing of it is left: no socket, no timer. */
  close(): Promise<void>;
}

export interface LiveQuery<Item> {
  readonly sessionId: string;
  readonly onItem: (item: Item) => void;
}

export interface SentMessage {
  readonly sessionId: string;
  readonly clientMessageId: string;
  readonly text: string;
}

export type OpenLink = (token: string) => Link;
