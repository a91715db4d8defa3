import { createHash, createHmac, randomBytes } from 'node:crypto';
import { Role, SessionId, StudentId, TenantId } from '@virtual-tutor/schemas';
import { jwtVerify, SignJWT } from 'jose';
import { z } from 'zod';
import type { Clock } from './ports.ts';

/** What a data-plane token says. Scope `user` covers every session of its student. */
export interface EngineToken {
  readonly scope: 'session' | 'user';
  readonly tenantId: TenantId;
  readonly studentId: StudentId;
  readonly sessionId: SessionId;
  readonly expiresAtMs: number;
}

/** The bundled page, signed in on loopback. */
export interface ConsoleToken {
  readonly tenantId: TenantId;
  readonly roles: readonly Role[];
  readonly expiresAtMs: number;
}

const issuer = 'virtual-tutor-engine';
const algorithm = 'HS256';

const EngineClaims = z.object({ scope: z.enum(['session', 'user']), ten: TenantId, sub: StudentId, sid: SessionId, exp: z.number() });
const ConsoleClaims = z.object({ roles: z.array(Role), ten: TenantId, exp: z.number() });

/** `vt_key_` and 256 random bits. */
export function newApiKey(): string {
  return `vt_key_${randomBytes(32).toString('base64url')}`;
}

export function looksLikeApiKey(credential: string): boolean {
  return credential.startsWith('vt_key_');
}

export function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

/** Signs and checks this engine's own tokens (RFC 7519, HS256 only: RFC 8725 section 3.1). */
export class Tokens {
  readonly #secret: Uint8Array;
  readonly #clock: Clock;

  /** `secret`: 32 bytes or more, shared by the nodes of one engine. */
  constructor(secret: Uint8Array, clock: Clock) {
    this.#secret = secret;
    this.#clock = clock;
  }

  async signEngine(
    token: Omit<EngineToken, 'expiresAtMs'>,
    ttlMs: number,
  ): Promise<{ readonly token: string; readonly expiresAt: string }> {
    const claims = { scope: token.scope, ten: token.tenantId, sid: token.sessionId };
    return this.#sign(claims, { audience: 'data', subject: token.studentId, ttlMs });
  }

  async signConsole(
    token: Omit<ConsoleToken, 'expiresAtMs'>,
    ttlMs: number,
  ): Promise<{ readonly token: string; readonly expiresAt: string }> {
    return this.#sign({ roles: token.roles, ten: token.tenantId }, { audience: 'control', subject: 'console', ttlMs });
  }

  /** Null for anything that this engine did not sign for this purpose, or that has expired. */
  async verifyEngine(token: string): Promise<EngineToken | null> {
    const claims = EngineClaims.safeParse(await this.#verify(token, 'data'));
    if (!claims.success) return null;
    const { scope, ten, sub, sid, exp } = claims.data;
    return { scope, tenantId: ten, studentId: sub, sessionId: sid, expiresAtMs: exp * 1000 };
  }

  async verifyConsole(token: string): Promise<ConsoleToken | null> {
    const claims = ConsoleClaims.safeParse(await this.#verify(token, 'control'));
    if (!claims.success) return null;
    return { tenantId: claims.data.ten, roles: claims.data.roles, expiresAtMs: claims.data.exp * 1000 };
  }

  /** The secret half of a one-time link: the same link has the same code, so that a retry answers the same. */
  linkCode(sessionId: SessionId, linkId: string): string {
    const mac = createHmac('sha256', this.#secret).update(`link|${sessionId}|${linkId}`).digest('base64url');
    return `${sessionId}.${mac}`;
  }

  #sign(
    claims: Record<string, unknown>,
    { audience, subject, ttlMs }: { readonly audience: string; readonly subject: string; readonly ttlMs: number },
  ) {
    const now = Math.floor(this.#clock.now() / 1000);
    const exp = now + Math.ceil(ttlMs / 1000);
    return new SignJWT(claims)
      .setProtectedHeader({ alg: algorithm, typ: 'JWT' })
      .setIssuer(issuer)
      .setAudience(audience)
      .setSubject(subject)
      .setJti(randomBytes(12).toString('base64url'))
      .setIssuedAt(now)
      .setExpirationTime(exp)
      .sign(this.#secret)
      .then((token) => ({ token, expiresAt: new Date(exp * 1000).toISOString() }));
  }

  async #verify(token: string, audience: string): Promise<unknown> {
    try {
      const { payload } = await jwtVerify(token, this.#secret, {
        issuer,
        audience,
        algorithms: [algorithm],
        currentDate: new Date(this.#clock.now()),
      });
      return payload;
    } catch {
      return null;
    }
  }
}

/** The session that a one-time link's code is for; null when it is not a code. */
export function sessionOfCode(code: string): SessionId | null {
  const parsed = SessionId.safeParse(code.slice(0, code.indexOf('.')));
  return parsed.success ? parsed.data : null;
}
