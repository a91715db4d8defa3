import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { z } from 'zod';

const Told = z.discriminatedUnion('type', [
  z.object({ type: z.literal('offered'), id: z.string(), sdp: z.string() }),
  z.object({ type: z.literal('connected'), id: z.string() }),
  z.object({ type: z.literal('counted'), frames: z.number(), bytes: z.number(), voicePackets: z.number() }),
  z.object({ type: z.literal('left') }),
]);
type Told = z.infer<typeof Told>;

export type Counted = Extract<Told, { type: 'counted' }>;

const program = new URL('../peers/viewers.ts', import.meta.url);
const withinMs = 60_000;

/** Students' ends of connections, in a process of their own. */
export class Viewers implements AsyncDisposable {
  readonly #child: ChildProcess = fork(program, { serialization: 'advanced' });

  /** `answer` takes an offer to the sender. Resolves once media may flow. */
  async join(id: string, answer: (offer: string) => Promise<string>): Promise<void> {
    const offered = this.#told('offered', id);
    this.#child.send({ type: 'offer', id });
    const { sdp } = await offered;
    const connected = this.#told('connected', id);
    this.#child.send({ type: 'answer', id, sdp: await answer(sdp) });
    await connected;
  }

  /** Everything that was received so far. */
  async count(): Promise<Counted> {
    const counted = this.#told('counted');
    this.#child.send({ type: 'count' });
    return counted;
  }

  async leave(): Promise<void> {
    const left = this.#told('left');
    this.#child.send({ type: 'leave' });
    await left;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.disconnect();
    await exited;
  }

  #told<T extends Told['type']>(type: T, id?: string): Promise<Extract<Told, { type: T }>> {
    type Wanted = Extract<Told, { type: T }>;
    const isIt = (told: Told): told is Wanted => told.type === type && (!('id' in told) || told.id === id);
    const { promise, resolve, reject } = Promise.withResolvers<Wanted>();
    const listener = (message: unknown) => {
      const told = Told.parse(message);
      if (isIt(told)) resolve(told);
    };
    this.#child.on('message', listener);
    const late = setTimeout(() => reject(new Error(`a viewer has waited too long for "${type}"`)), withinMs);
    return promise.finally(() => {
      clearTimeout(late);
      this.#child.off('message', listener);
    });
  }
}
