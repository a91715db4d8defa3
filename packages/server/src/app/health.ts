import type { Llm, LlmHealth } from '@virtual-tutor/engine';
import { type DependencyHealth, type Health, protocolVersion } from '@virtual-tutor/schemas';
import type { AvatarBuilds } from './avatar-builds.ts';
import type { ClipStore } from './clip-store.ts';
import type { Lessons } from './lessons.ts';
import type { MediaPlane } from './media-plane.ts';
import type { Clock, EventStore } from './ports.ts';
import type { Projections } from './read-model.ts';
import type { Sealing } from './sealing.ts';
import type { TurnAccess } from './turn-access.ts';

export interface HealthOptions {
  readonly store: EventStore;
  readonly projections: Projections;
  readonly lessons: Lessons;
  readonly media: { readonly plane: Pick<MediaPlane, 'health'>; readonly turn: Pick<TurnAccess, 'health'> | null };
  /** Null: filmed tutors are not built here. */
  readonly filmed: {
    readonly builds: Pick<AvatarBuilds, 'running' | 'queued'>;
    readonly clips: Pick<ClipStore, 'isWritable'>;
  } | null;
  /** Null: switched off by `ENABLE_LLM`. */
  readonly llm: Llm | null;
  readonly defaultModel: string;
  readonly seals: { readonly sealing: Pick<Sealing, 'health'> | null };
  readonly clock: Clock;
  readonly version: string;
  readonly node: string;
  readonly maxSessions: number;
  /** What the log runs on, e.g. `PGlite (embedded)`. */
  readonly logRunsOn: string;
  readonly readModelRunsOn: string;
}

/** An answer about the model server is good for this long, ms. */
const probeEveryMs = 10_000;
const probeTimeoutMs = 2_000;
const logTimeoutMs = 3_000;
/** A projection that is further behind than this is reported, events. */
const worryingLag = 5_000;

/** Every dependency by name, with what is wrong and what to do. */
export class HealthCheck {
  readonly #options: HealthOptions;
  #probe: { readonly atMs: number; readonly result: Promise<LlmHealth> } | null = null;

  constructor(options: HealthOptions) {
    this.#options = options;
  }

  async read(): Promise<Health> {
    const { version, node, lessons, maxSessions } = this.#options;
    const { turn, plane } = this.#options.media;
    const media = [...(turn === null ? [] : [turn.health()]), ...plane.health()].map(asExtra);
    const seals = this.#options.seals.sealing?.health() ?? null;
    const own = await Promise.all([this.#log(), this.#readModel(), seals, this.#model(), this.#filmed()]);
    const dependencies = [...own.filter((dependency) => dependency !== null), ...media];
    const worst = dependencies.some(({ status }) => status === 'down')
      ? 'down'
      : dependencies.some(({ status }) => status === 'degraded')
        ? 'degraded'
        : 'ok';
    return { status: worst, version, protocolVersion, node, sessions: { active: lessons.active, max: maxSessions }, dependencies };
  }

  async #log(): Promise<DependencyHealth> {
    const base = { name: 'event log', runsOn: this.#options.logRunsOn };
    try {
      await within(logTimeoutMs, this.#options.store.head());
      return { ...base, status: 'ok', reason: null };
    } catch {
      return { ...base, status: 'down', reason: 'the log does not answer: check that its database runs, and the URL in the settings' };
    }
  }

  async #readModel(): Promise<DependencyHealth> {
    const base = { name: 'projections', runsOn: this.#options.readModelRunsOn };
    try {
      const statuses = await within(logTimeoutMs, this.#options.projections.list());
      const parked = statuses.filter(({ state }) => state === 'parked').map(({ name }) => name);
      if (parked.length > 0) {
        return {
          ...base,
          status: 'degraded',
          reason: `parked: ${parked.join(', ')}; see \`vtutor projections list\`, mend, then \`vtutor projections rebuild\``,
        };
      }
      const lag = Math.max(0, ...statuses.filter(({ state }) => state === 'active').map((status) => status.lag));
      return lag > worryingLag
        ? { ...base, status: 'degraded', reason: `${lag} events behind the log` }
        : { ...base, status: 'ok', reason: null };
    } catch {
      return { ...base, status: 'down', reason: 'the read model does not answer: check the database' };
    }
  }

  async #filmed(): Promise<DependencyHealth | null> {
    const { filmed } = this.#options;
    if (filmed === null) return null;
    const { running, queued } = filmed.builds;
    const base = { name: 'filmed tutors', runsOn: `a process of its own (${running} building, ${queued} waiting)` };
    return (await filmed.clips.isWritable())
      ? { ...base, status: 'ok', reason: null }
      : { ...base, status: 'degraded', reason: 'the folder for avatars cannot be written to: check AVATARS_DIR, its owner and its rights' };
  }

  async #model(): Promise<DependencyHealth> {
    const { llm, defaultModel } = this.#options;
    if (llm === null) {
      return {
        name: 'language model',
        runsOn: 'extractive',
        status: 'degraded',
        reason: 'switched off by ENABLE_LLM: tutors quote the course',
      };
    }
    const health = await this.#probed(llm);
    const base = { name: 'language model', runsOn: `${llm.provider} (${defaultModel})` };
    return health.ok
      ? { ...base, status: 'ok', reason: null }
      : { ...base, status: 'degraded', reason: `${health.reason} Until then tutors quote the course.` };
  }

  #probed(llm: Llm): Promise<LlmHealth> {
    const now = this.#options.clock.now();
    if (this.#probe === null || now - this.#probe.atMs > probeEveryMs) {
      this.#probe = { atMs: now, result: llm.probe(this.#options.defaultModel, AbortSignal.timeout(probeTimeoutMs)) };
    }
    return this.#probe.result;
  }
}

/** Lessons go on in writing without it: missing voice degrades the engine and never takes it down. */
function asExtra({ status, ...component }: DependencyHealth): DependencyHealth {
  return { ...component, status: status === 'down' ? 'degraded' : status };
}

async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error('too late')), ms);
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
