import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { verifyChain } from '../../packages/server/src/app/chain.ts';
import type { AppendRequest, AppendResult, EventStore, StoredEvent } from '../../packages/server/src/app/ports.ts';
import { anyEvents, type Drafts } from '../support/arbitraries.ts';
import { command, draft, stream } from '../support/drafts.ts';
import { LogModel, type ModelEvent } from '../support/log-model.ts';
import { often } from '../support/long.ts';
import { describeOn, type OpenStore, openStore, storeKinds } from '../support/stores.ts';

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

/** A name that no stream of an earlier run begins with: all share one log. */
function nextName(): string {
  runs += 1;
  return `run${runs}`;
}

/** What a store and the model must agree on: neither where the log was when the run began, nor hashes and clock. */
function comparable({ stream, revision, id, type, schemaVersion, payload, sealed, keyId, meta }: ModelEvent) {
  const hex = sealed === null ? null : Buffer.from(sealed).toString('hex');
  return { stream, revision, id, type, schemaVersion, payload, sealed: hex, keyId, meta };
}

async function logAfter(store: EventStore, position: number): Promise<readonly StoredEvent[]> {
  const events: StoredEvent[] = [];
  for (let after = position; ; ) {
    const page = await store.readAll({ after, limit: 500 });
    events.push(...page);
    const last = page.at(-1);
    if (last === undefined || page.length < 500) return events;
    after = last.position;
  }
}

class Run {
  readonly #store: EventStore;
  readonly #model = new LogModel();
  /** Position of the log's end when the run began. */
  readonly #base: number;
  readonly #name = nextName();
  readonly #sent: AppendRequest[] = [];
  readonly #results: Extract<AppendResult, { readonly lastPosition: number }>[] = [];

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
        return this.#append(this.#request(step));
      case 'again':
      case 'reuse': {
        const sent = this.#sent[step.which % Math.max(1, this.#sent.length)];
        if (sent !== undefined) await this.#append(step.kind === 'again' ? sent : { ...sent, fingerprint: 'another' });
        return;
      }
      case 'read': {
        const { on, after, limit } = step;
        const real = await this.#store.readStream(this.#stream(on), { after, limit });
        const model = this.#model.of(this.#stream(on)).slice(after, after + limit);
        expect(real.map(comparable)).toEqual(model.map(comparable));
        return;
      }
      case 'list': {
        const prefix = `session-${this.#name}-`;
        const names = [...new Set(this.#model.log.map((event) => event.stream))].toSorted().slice(0, step.limit);
        const model = names.map((name) => ({ stream: name, revision: this.#model.of(name).length }));
        expect(await this.#store.listStreams({ prefix, after: '', limit: step.limit })).toEqual(model);
      }
    }
  }

  /** The same log, whole chains, and positions that answer for what was said of them. */
  async end(): Promise<void> {
    const real = await logAfter(this.#store, this.#base);
    expect(real.map(comparable)).toEqual(this.#model.log.map(comparable));
    expect(real.map(({ position }) => position)).toEqual(real.map(({ position }) => position).toSorted((a, b) => a - b));
    for (const [name, events] of Map.groupBy(real, (event) => event.stream)) {
      expect(await verifyChain(name, events)).toMatchObject({ verdict: 'intact', events: events.length });
    }
    const placed = new Map(real.map(({ position, revision }) => [position, revision]));
    for (const { lastPosition, lastRevision } of this.#results) expect(placed.get(lastPosition)).toBe(lastRevision);
  }

  #stream(index: number) {
    return stream(`${this.#name}-${index}`);
  }

  #request({ on, expected, events }: Step & { kind: 'append' }): AppendRequest {
    const right = this.#model.of(this.#stream(on)).length;
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
    const [real, model] = [await this.#store.append(request), this.#model.append(request)];
    if ('lastPosition' in real) {
      const { lastPosition: _, ...rest } = real;
      this.#results.push(real);
      expect(rest).toEqual(model);
    } else expect(real).toEqual(model);
  }
}

for (const kind of storeKinds) {
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
        { numRuns: often({ few: 40, long: 2_000 }), endOnFailure: true },
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
          const log = await logAfter(open.store, base);
          const model = new LogModel();
          const won = requests.filter((_, i) => results[i]?.status === 'appended');
          const positionOf = new Map(log.map(({ id, position }) => [id, position]));
          const place = ({ events }: AppendRequest) => positionOf.get(events[0]?.id ?? expect.fail()) ?? Number.NaN;
          for (const request of won.toSorted((a, b) => place(a) - place(b))) expect(model.append(request).status).toBe('appended');
          expect(log.map(comparable)).toEqual(model.log.map(comparable));
        }),
        { numRuns: often({ few: 20, long: 2_000 }), endOnFailure: true },
      );
    });
  });
}
