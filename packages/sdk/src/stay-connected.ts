import type { ReconnectPolicy } from './contract.ts';
import { aborted, asTutorError, LinkLost, type TutorError } from './errors.ts';
import type { FeedItem } from './feed-item.ts';
import type { Link, OpenLink } from './link.ts';
import { sleep, within } from './waiting.ts';

export interface Stay {
  readonly sessionId: string;
  readonly open: OpenLink;
  readonly token: () => Promise<string>;
  readonly reconnect: ReconnectPolicy;
  /** Aborted when the session is closed. */
  readonly signal: AbortSignal;
  /** Where the next subscription begins; to be asked once for each. */
  readonly resumeFrom: () => string | undefined;
  readonly onItem: (id: string, item: FeedItem) => void;
  /** Its first item came: commands may take this link. */
  readonly onConnected: (link: Link, resumed: { readonly lastEventId: string | undefined; readonly attempts: number }) => void;
  readonly onLost: (error: TutorError) => void;
  /** The link's last traces go; whoever closes the session waits for them. */
  readonly onClosing: (closing: Promise<void>) => void;
  /** True once nothing more can come. */
  readonly isOver: () => boolean;
  /** Forgets the resume point when that is safe; false: it is not. */
  readonly startOver: () => boolean;
}

/** Longest wait for the owner's `token()`, ms. */
const tokenMs = 15_000;

/** Keeps the feed coming, link after link. Resolves when the lesson is over; rejects with the reason to give up. */
export async function stayConnected(stay: Stay): Promise<void> {
  const outage = new Outage(stay.reconnect);
  for (;;) {
    const error = await outcomeOf(stay, outage);
    if (stay.isOver()) return;
    if (stay.signal.aborted) throw aborted();
    stay.onLost(error);
    if (error.code === 'resume_expired' && stay.startOver()) continue;
    await sleep(outage.delayAfter(error), stay.signal);
  }
}

async function outcomeOf(stay: Stay, outage: Outage): Promise<TutorError> {
  try {
    const token = await within({ signals: [stay.signal], timeoutMs: tokenMs }, stay.token);
    if (outage.refused === token) return outage.refusal;
    outage.tried = token;
    await followOnce(stay, outage, token);
    return new LinkLost('the engine stopped the feed');
  } catch (error) {
    return asTutorError(error);
  }
}

async function followOnce(stay: Stay, outage: Outage, token: string): Promise<void> {
  // Closed while the token was fetched: the signal tells it no second time.
  if (stay.signal.aborted) throw aborted(stay.signal.reason);
  const link = stay.open(token);
  const lastEventId = stay.resumeFrom();
  let connected = false;
  const stop = () => void link.close();
  stay.signal.addEventListener('abort', stop);
  try {
    await link.follow({
      sessionId: stay.sessionId,
      lastEventId,
      onItem: (id, item) => {
        if (stay.signal.aborted) return;
        if (!connected) {
          connected = true;
          stay.onConnected(link, { lastEventId, attempts: outage.attempts });
          outage.over();
        }
        stay.onItem(id, item);
      },
    });
  } finally {
    stay.signal.removeEventListener('abort', stop);
    stay.onClosing(link.close());
  }
}

/** From the first loss to the next item: how often and how long it was tried, and which token was refused. */
class Outage {
  readonly #policy: ReconnectPolicy;
  #sinceMs: number | null = null;
  attempts = 0;
  tried: string | null = null;
  refused: string | null = null;
  refusal: TutorError = aborted();

  constructor(policy: ReconnectPolicy) {
    this.#policy = policy;
  }

  over(): void {
    this.#sinceMs = null;
    this.attempts = 0;
    this.refused = null;
  }

  /** ms until the next try. Throws the error when there shall be none. */
  delayAfter(error: TutorError): number {
    const first = this.attempts === 0;
    this.#sinceMs ??= Date.now();
    if (error.code === 'unauthorized') this.#refuse(error);
    // A frame too large is the trouble of the call that sent it, not of the session.
    else if (!error.retryable && error.code !== 'payload_too_large') throw error;
    if (error.code === 'unauthorized' && first) {
      this.attempts += 1;
      return 0;
    }
    const delayMs = this.#policy.nextDelayMs({ attempt: this.attempts, elapsedMs: Date.now() - this.#sinceMs, error });
    if (delayMs === null) throw error;
    this.attempts += 1;
    return Math.max(delayMs, error.retryAfterMs ?? 0);
  }

  /** A second refused token in one outage, or the same one again, is final. */
  #refuse(error: TutorError): void {
    if (this.refused !== null) throw error;
    this.refused = this.tried;
    this.refusal = error;
  }
}
