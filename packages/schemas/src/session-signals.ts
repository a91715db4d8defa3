import { z } from 'zod';
import { TurnId } from './ids.ts';

const ms = z.number().nonnegative();
const index = z.number().int().nonnegative();

/** How the tutor reaches the student now, best first. */
export const Quality = z.enum(['video', 'voice', 'text']);
export type Quality = z.infer<typeof Quality>;

/** Why the quality changed. */
export const QualityReason = z.enum([
  'connected',
  'recovered',
  'connection_lost',
  'renderer_late',
  'renderer_failed',
  'speech_failed',
  'network_slow',
  'worker_crashed',
]);
export type QualityReason = z.infer<typeof QualityReason>;

export const SpokenWord = z.object({
  /** Half open range of UTF-16 code units in the sentence's text. */
  from: index,
  to: index,
  /** ms from the beginning of the sentence. */
  startMs: ms,
  endMs: ms,
});
export type SpokenWord = z.infer<typeof SpokenWord>;

/**
 * What `webrtc.signals` carries: the live side of voice, worth nothing a second later. Never
 * resumed; the first thing a subscriber gets is `hello`.
 */
export const Signal = z.discriminatedUnion('type', [
  z.object({ type: z.literal('hello'), quality: Quality }),
  /** The student's voice is heard, or no longer. */
  z.object({ type: z.literal('listening'), voice: z.boolean() }),
  /** What has been understood of the utterance so far; replaced by the next. */
  z.object({ type: z.literal('partial'), text: z.string() }),
  /** An utterance without words in it, or that nobody here can understand; `language_unsupported` says to type. */
  z.object({ type: z.literal('notUnderstood'), reason: z.enum(['no_words', 'language_unsupported', 'unavailable']) }),
  /**
   * A sentence is played: its ms `fromMs` has the audio RTP timestamp `rtpTimestamp` (48 kHz, 32 bits). Sent
   * when it begins and when it goes on after a pause; captions follow the browser's own playout by it.
   */
  z.object({
    type: z.literal('speech'),
    turnId: TurnId,
    index,
    rtpTimestamp: z.number().int().nonnegative(),
    fromMs: ms,
    durationMs: ms,
    words: z.array(SpokenWord),
  }),
  /** Held: the student may be about to speak. `speech` again when it goes on. */
  z.object({ type: z.literal('paused'), turnId: TurnId, index, atMs: ms }),
  /** The tutor fell silent: all there was of this turn was played (more may come while it is being made), or it was cut for good. */
  z.object({ type: z.literal('silent'), turnId: TurnId, reason: z.enum(['finished', 'interrupted']) }),
  /** Another connection of this session took the place of this one: a second tab. Whoever held it lets go, or the two would take turns for ever. */
  z.object({ type: z.literal('replaced'), peerId: z.uuid() }),
  z.object({ type: z.literal('quality'), from: Quality, to: Quality, reason: QualityReason }),
]);
export type Signal = z.infer<typeof Signal>;
