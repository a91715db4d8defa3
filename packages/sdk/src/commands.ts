import { jitteredMs } from './backoff.ts';
import type { Changes } from './changes.ts';
import { asTutorError, type TutorError } from './errors.ts';
import type { Link } from './link.ts';
import { sleep } from './waiting.ts';

export interface CommandHost {
  /** Tells when one of the following may have changed. */
  readonly changes: Changes;
  /** Null while there is none. */
  link(): Link | null;
  /** Why there will be none any more; null while the session lives. */
  failure(): TutorError | null;
  readonly closing: AbortSignal;
}

/** Work that may be done twice: it is repeated when its link broke before the answer. */
export type Command<T> = (link: Link, losses: number) => Promise<T>;

/** Times a command is sent again after its connection broke. */
const maxLosses = 30;
/** Times it is sent again after a refusal that may pass. */
const maxRefusals = 2;

/** A session's commands, one after the other: the engine may finish concurrent ones out of order. */
export class Commands {
  readonly #host: CommandHost;
  #last: Promise<unknown> = Promise.resolve();

  constructor(host: CommandHost) {
    this.#host = host;
  }

  run<T>(command: Command<T>): Promise<T> {
    const result = this.#last.then(() => this.#try(command));
    this.#last = result.catch(() => {});
    return result;
  }

  async #try<T>(command: Command<T>): Promise<T> {
    let refusals = 0;
    for (let losses = 0; ; ) {
      const link = await this.#usableLink();
      try {
        return await command(link, losses);
      } catch (thrown) {
        const error = asTutorError(thrown);
        if (brokeUnder(link) && losses < maxLosses) {
          losses += 1;
          continue;
        }
        if (!error.retryable || refusals >= maxRefusals) throw error;
        await sleep(error.retryAfterMs ?? jitteredMs(refusals), this.#host.closing);
        refusals += 1;
      }
    }
  }

  async #usableLink(): Promise<Link> {
    for (;;) {
      const failure = this.#host.failure();
      if (failure !== null) throw failure;
      const link = this.#host.link();
      if (link !== null && !link.down.aborted) return link;
      await this.#host.changes.next();
    }
  }
}

/** True when the next link may do better: not after one that was cut for what was sent over it. */
function brokeUnder({ down }: Link): boolean {
  return down.aborted && ['unavailable', 'unauthorized'].includes(asTutorError(down.reason).code);
}
