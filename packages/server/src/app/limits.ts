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

export class RateLimited extends Error {
  override readonly name = 'RateLimited';
  readonly refusal: Refusal;
  constructor(limit: number, retryAfterMs: number) {
    const message = `more than ${limit} calls a minute: wait and try again`;
    super(message);
    this.refusal = { code: 'rate_limited', message, retryAfterMs };
  }
}

export interface Limits {
  /** Throws `RateLimited`. */
  spend(spender: { readonly kind: 'key' | 'token' | 'address'; readonly id: string }, procedure: string): Promise<void>;
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
      await take(limiters[kind], id);
      if (procedure === 'chat.send') await take(messages, id);
      if (procedure === 'webrtc.negotiate') await take(connections, id);
    },
  };
}

async function take(limiter: RateLimiterMemory, id: string): Promise<void> {
  try {
    await limiter.consume(id);
  } catch (error) {
    if (error instanceof RateLimiterRes) throw new RateLimited(limiter.points, error.msBeforeNext);
    throw error;
  }
}
