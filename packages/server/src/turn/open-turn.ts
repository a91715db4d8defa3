import { networkInterfaces } from 'node:os';
import type { DependencyHealth, SessionId } from '@virtual-tutor/schemas';
import type { Clock } from '../app/ports.ts';
import type { TurnAccess } from '../app/turn-access.ts';
import { allocateOnce, knockAt } from './allocate.ts';
import { credentialOf, credentialTtlSeconds, engineUser, probeUser, type TurnCredential } from './credentials.ts';
import { EmbeddedTurn } from './embedded-turn.ts';
import { planOf, type TurnPlan } from './plan.ts';
import { clocksDiffer, type RelayVerdict, verdictOn } from './relay-verdict.ts';
import { turnSecret } from './secret.ts';
import type { TurnSettings } from './settings.ts';

export interface TurnOptions {
  readonly settings: TurnSettings;
  readonly dataDir: string;
  readonly clock: Clock;
}

/** What the TURN protocol calls the place that a user belongs to. */
export const turnRealm = 'virtual-tutor';
/** The engine's own credential lasts as long as any engine runs, seconds. */
const engineTtlSeconds = 315_360_000;
/** Good even where the clock is a day ahead. */
const farTtlSeconds = 90_000;
const lookEveryMs = 30_000;
const lookWithinMs = 3_000;

export interface Keyring {
  readonly secret: string;
  readonly user: TurnSettings['user'];
  readonly clock: Clock;
}

/** Starts the embedded relay, or finds the operator's. A relay that cannot be had shows in `health()`; lessons go on in writing. */
export async function openTurn({ settings, dataDir, clock }: TurnOptions): Promise<TurnAccess> {
  const plan = planOf(settings, ownAddress());
  const keyring = { secret: await turnSecret(settings, dataDir), user: settings.user, clock };
  const relay = settings.server === null ? await embedded(plan, keyring) : await external(plan, keyring);
  return {
    ...plan,
    relayAddresses: [plan.relayAddress],
    grant: (sessionId) => grant(plan, keyring, sessionId),
    engineRelay: () => (settings.engineRelay ? { url: plan.localUrl, ...credentialFor(keyring, engineUser, engineTtlSeconds) } : null),
    health: () => ({ name: 'media relay', runsOn: relay.runsOn, ...relay.health() }),
    [Symbol.asyncDispose]: () => relay[Symbol.asyncDispose](),
  };
}

/** This machine's address in its network; on a machine without one, loopback. */
export function ownAddress(): string {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return all.find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? '127.0.0.1';
}

/** A try at the relay, as a browser would. */
export async function tryRelay(plan: TurnPlan, keyring: Keyring): Promise<RelayVerdict> {
  const outcome = await allocateOnce(plan.localUrl, credentialFor(keyring, probeUser, credentialTtlSeconds), lookWithinMs);
  const tooLate = outcome.status === 'refused' && outcome.code === 401 && keyring.user === null;
  const later = tooLate ? await allocateOnce(plan.localUrl, credentialFor(keyring, probeUser, farTtlSeconds), lookWithinMs) : outcome;
  return tooLate && later.status === 'allocated' ? clocksDiffer(plan) : verdictOn(outcome, plan);
}

function credentialFor({ secret, user, clock }: Keyring, name: string, ttlSeconds: number): TurnCredential {
  if (user !== null) return { username: user.username, credential: user.password };
  return credentialOf(secret, name, Math.floor(clock.now() / 1000) + ttlSeconds);
}

function grant(plan: TurnPlan, keyring: Keyring, sessionId: SessionId): ReturnType<TurnAccess['grant']> {
  const expiresAt = new Date(keyring.clock.now() + credentialTtlSeconds * 1000).toISOString();
  return { iceServers: [{ urls: [...plan.urls], ...credentialFor(keyring, sessionId, credentialTtlSeconds) }], expiresAt };
}

interface Relay extends AsyncDisposable {
  readonly runsOn: string;
  health(): Pick<DependencyHealth, 'status' | 'reason'>;
}

async function embedded(plan: TurnPlan, { secret, user }: Keyring): Promise<Relay> {
  const { listen, port, relayAddress, relayPorts, peers, quotas } = plan;
  const order = { listen, port, realm: turnRealm, secret, user, relayAddress, relayPorts, peers, quotas } as const;
  const turn = await EmbeddedTurn.start({ type: 'serve', ...order });
  return {
    runsOn: `turn-server (embedded), port ${port}`,
    health: () => turn.health(),
    [Symbol.asyncDispose]: () => turn[Symbol.asyncDispose](),
  };
}

async function external(plan: TurnPlan, keyring: Keyring): Promise<Relay> {
  let last: Pick<DependencyHealth, 'status' | 'reason'> = { status: 'degraded', reason: null };
  /** Whole tries until one went well; after that only whether it answers, so that no relay port is taken from a student. */
  const look = async () => {
    const answers = last.status === 'ok' && (await knockAt(plan.localUrl, lookWithinMs)).status === 'refused';
    if (answers) return;
    const { found, fix } = await tryRelay(plan, keyring);
    last =
      fix === null
        ? { status: 'ok', reason: null }
        : { status: 'degraded', reason: `${found}: ${fix}. Until then tutors write instead of speaking.` };
  };
  await look();
  const timer = setInterval(() => void look(), lookEveryMs);
  timer.unref();
  return {
    runsOn: plan.localUrl,
    health: () => last,
    [Symbol.asyncDispose]: async () => clearInterval(timer),
  };
}
