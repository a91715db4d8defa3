import { createHmac } from 'node:crypto';

/** How long a credential opens new allocations, seconds. What is allocated lives on. */
export const credentialTtlSeconds = 300;
/** The engine's own user, when it relays too. */
export const engineUser = 'engine';
/** The user of health checks and of the doctor. */
export const probeUser = 'probe';

export interface TurnCredential {
  readonly username: string;
  readonly credential: string;
}

/** A time-limited credential as coturn's `use-auth-secret` knows it: draft-uberti-behave-turn-rest-00, section 2.2. */
export function credentialOf(secret: string, user: string, expiresAtSeconds: number): TurnCredential {
  const username = `${expiresAtSeconds}:${user}`;
  return { username, credential: passwordOf(secret, username) };
}

export function passwordOf(secret: string, username: string): string {
  return createHmac('sha1', secret).update(username).digest('base64');
}

/** Null: not a name that `credentialOf` makes. */
export function readUsername(username: string): { readonly user: string; readonly expiresAtSeconds: number } | null {
  const [, seconds, user] = /^(\d{1,12}):(.{1,128})$/.exec(username) ?? [];
  return seconds === undefined || user === undefined ? null : { user, expiresAtSeconds: Number(seconds) };
}
