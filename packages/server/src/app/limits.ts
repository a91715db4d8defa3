import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import type { Refusal } from '../domain/decision.ts';

/** Calls per minute before `rate_limited`. */
export interface RateLimits {
  /** Per API key, or the console. */
  readonly perKey: number;
  /** Per engine token's session or student. */
  readonly perToken: number;
  /** Per network address without a credential. */
  readonly perAddress: number;
  /** Messages of one student's session. */
  readonly messages: number;
}

export interface Limits {
  /** Null: go ahead. */
  spend(spender: { readonly kind: 'key' | 'token' | 'address'; readonly id: string }, procedure: string): Promise<Refusal | null>;
}

const minuteSeconds = 60;
/** Each makes the engine gather, bind and encrypt; a network that changes all the time needs some, ICE restarts included. */
const connectionsPerMinute = 30;

export function createLimits(rates: RateLimits): Limits {
  const limiter = (points: number) => new RateLimiterMemory({ points, duration: minuteSeconds });
  const limiters = { key: limiter(rates.perKey), token: limiter(rates.perToken), address: limiter(rates.perAddress) };
  const messages = limiter(rates.messages);
  const connections = limiter(connectionsPerMinute);
  return {
    async spend({ kind, id }, procedure) {
      const over = await take(limiters[kind], id);
      if (over !== null) return over;
      if (procedure === 'chat.send') return take(messages, id);
      return procedure === 'webrtc.negotiate' ? take(connections, id) : null;
    },
  };
}

async function take(limiter: RateLimiterMemory, id: string): Promise<Refusal | null> {
  try {
    await limiter.consume(id);
    return null;
  } catch (error) {
    if (!(error instanceof RateLimiterRes)) throw error;
    return {
      code: 'rate_limited',
      message: `more than ${limiter.points} calls a minute: wait and try again`,
      retryAfterMs: error.msBeforeNext,
    };
  }
}
