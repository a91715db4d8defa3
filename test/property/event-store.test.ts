import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { AppendRequest, AppendResult, EventStore, StoredEvent } from '../../packages/server/src/app/ports.ts';
import { MemoryEventStore } from '../../packages/server/src/store/memory-event-store.ts';
import { anyEvents, type Drafts } from '../support/arbitraries.ts';
import { command, draft, readAll, stream } from '../support/drafts.ts';
import { databaseKinds, describeOn, type OpenStore, openStore } from '../support/stores.ts';

type Step =
  | {
      readonly kind: 'append';
      readonly on: number;
      readonly expected: 'none' | 'any' | 'right' | 'ahead' | 'behind';
      readonly events: Drafts;
    }
  | { readonly kind: 'again' | 'reuse'; readonly which: number }
  | { readonly kind: 'read'; readonly on: number; readonly after: number; readonly limit: number }
  | { readonly kind: 'list'; readonly limit: number };

const on = fc.nat({ max: 3 });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('append' as const),
      on,
      expected: fc.constantFrom('none', 'any', 'right', 'right', 'ahead', 'behind'),
      events: anyEvents,
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('again' as const, 'reuse' as const), which: fc.nat() }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('read' as const), on, after: fc.nat({ max: 6 }), limit: fc.integer({ min: 1, max: 5 }) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('list' as const), limit: fc.integer({ min: 1, max: 5 }) }) },
);

let runs = 0;

function nextName(): string {
  runs += 1;
  return `run${runs}`;
}

/** What two stores must agree on: all but the clock and, where a log is older than the run, where it began. */
function comparable({ position, recordedAt, sealed, ...rest }: StoredEvent, base: number) {
  return { ...rest, position: position - base, sealed: sealed === null ? null : Buffer.from(sealed).toString('hex') };
}

function comparableResult(result: AppendResult, base: number) {
  return 'lastPosition' in result ? { ...result, lastPosition: result.lastPosition - base } : result;
}

class Run {
  readonly #store: EventStore;
  readonly #model = new MemoryEventStore();
  readonly #base: number;
  readonly #name = nextName();
  readonly #sent: AppendRequest[] = [];

  private constructor(store: EventStore, base: number) {
    this.#store = store;
    this.#base = base;
  }

  static async on(store: EventStore): Promise<Run> {
    return new Run(store, await store.head());
  }

  async take(step: Step): Promise<void> {
    switch (step.kind) {
      case 'append':
        return this.#append(await this.#request(step));
      case 'again':
      case 'reuse': {
        const sent = this.#sent[step.which % Math.max(1, this.#sent.length)];
        if (sent !== undefined) await this.#append(step.kind === 'again' ? sent : { ...sent, fingerprint: 'another' });
        return;
      }
      case 'read': {
        const read = (store: EventStore) => store.readStream(this.#stream(step.on), step);
        const [real, model] = [await read(this.#store), await read(this.#model)];
        expect(real.map((event) => comparable(event, this.#base))).toEqual(model.map((event) => comparable(event, 0)));
        return;
      }
      case 'list': {
        const list = (store: EventStore) => store.listStreams({ prefix: `session-${this.#name}-`, after: '', limit: step.limit });
        expect(await list(this.#store)).toEqual(await list(this.#model));
      }
    }
  }

  async end(): Promise<void> {
    const real = (await readAll(this.#store)).filter(({ position }) => position > this.#base);
    const model = await readAll(this.#model);
    expect(real.map((event) => comparable(event, this.#base))).toEqual(model.map((event) => comparable(event, 0)));
  }

  #stream(index: number) {
    return stream(`${this.#name}-${index}`);
  }

  async #request({ on, expected, events }: Step & { kind: 'append' }): Promise<AppendRequest> {
    const known = await this.#model.readStream(this.#stream(on), { after: 0, limit: 1000 });
    const right = known.length;
    const revision = {
      none: 'none',
      any: 'any',
      right: right === 0 ? 'none' : right,
      ahead: right + 1,
      behind: Math.max(1, right - 1),
    } as const;
    return command(
      `${this.#name}-${on}`,
      revision[expected],
      events.map(({ payload, sealed }) => draft(payload, { sealed })),
    );
  }

  async #append(request: AppendRequest): Promise<void> {
    this.#sent.push(request);
    const [real, model] = [await this.#store.append(request), await this.#model.append(request)];
    expect(comparableResult(real, this.#base)).toEqual(comparableResult(model, 0));
  }
}

for (const kind of databaseKinds) {
  describeOn(kind)(`the event log on ${kind} against the model`, () => {
    let open: OpenStore;
    beforeAll(async () => {
      open = await openStore(kind);
    });
    afterAll(async () => {
      await open[Symbol.asyncDispose]();
    });

    test('any sequence of commands, retries and reads gives the same answers and the same log (invariant 9)', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 14 }), async (steps) => {
          const run = await Run.on(open.store);
          for (const one of steps) await run.take(one);
          await run.end();
        }),
        { numRuns: 40, endOnFailure: true },
      );
    });

    test('any commands at once leave a log that some order of them explains (invariants 1 to 4)', async () => {
      const race = fc.array(fc.record({ on, any: fc.boolean(), count: fc.integer({ min: 1, max: 3 }) }), { minLength: 2, maxLength: 30 });
      await fc.assert(
        fc.asyncProperty(race, async (commands) => {
          const name = nextName();
          const base = await open.store.head();
          const requests = commands.map(({ on, any, count }) =>
            command(
              `${name}-${on}`,
              any ? 'any' : 'none',
              Array.from({ length: count }, () => draft()),
            ),
          );
          const results = await Promise.all(requests.map((request) => open.store.append(request)));
          const log = (await readAll(open.store)).slice(base);
          const model = new MemoryEventStore();
          const won = requests.filter((_, i) => results[i]?.status === 'appended');
          const positionOf = new Map(log.map(({ id, position }) => [id, position]));
          const place = ({ events }: AppendRequest) => positionOf.get(events[0]?.id ?? expect.fail()) ?? Number.NaN;
          for (const request of won.toSorted((a, b) => place(a) - place(b))) await model.append(request);
          expect(log.map((event) => comparable(event, base))).toEqual((await readAll(model)).map((event) => comparable(event, 0)));
        }),
        { numRuns: 20, endOnFailure: true },
      );
    });
  });
}
