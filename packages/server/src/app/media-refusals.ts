import type { Refusal } from '../domain/decision.ts';
import type { MediaAnswer } from './media-plane.ts';

/** A subscription that cannot begin. */
export class MediaRefused extends Error {
  override readonly name = 'MediaRefused';
  readonly refusal: Refusal;
  constructor(refusal: Refusal) {
    super(refusal.message);
    this.refusal = refusal;
  }
}

export const mediaOff: Refusal = { code: 'media_unavailable', message: 'voice and video are switched off on this engine' };
export const noRelay: Refusal = {
  code: 'relay_unavailable',
  message: 'the media relay does not answer: go on in writing',
  retryAfterMs: 5_000,
};
export const sessionNotThere: Refusal = { code: 'not_found', message: 'there is no such session' };
export const sessionOver: Refusal = { code: 'session_ended', message: 'this session has ended: start a new one' };

export function mediaFull(places: number): Refusal {
  return {
    code: 'capacity_exceeded',
    message: `all ${places} places for voice and video are taken (MAX_MEDIA_SESSIONS, or the ports of the relay): text goes on, try again later`,
    retryAfterMs: 15_000,
  };
}

/** What a worker's "no" is to the student. */
export function refusalOf(answer: MediaAnswer): Refusal {
  if (answer.type !== 'refused') return { code: 'unavailable', message: 'the engine worker gave no answer: connect again' };
  switch (answer.code) {
    case 'internal':
      return { code: 'unavailable', message: answer.reason, retryAfterMs: 1_000 };
    case 'superseded':
      return { code: 'conflict', message: answer.reason };
    case 'no_free_port':
      return { code: 'capacity_exceeded', message: answer.reason, retryAfterMs: 10_000 };
    default:
      return { code: 'media_blocked', message: answer.reason };
  }
}
