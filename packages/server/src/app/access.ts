import { type ApiKey, KeyId, type Role, streams, TenantId } from '@virtual-tutor/schemas';
import type { Refusal } from '../domain/decision.ts';
import type { TenantCommand } from '../domain/tenant.ts';
import { tenants } from './aggregates.ts';
import type { ClearEvent } from './event-codec.ts';
import type { CommandContext, Handle } from './handle.ts';
import { keyIdOf } from './ids.ts';
import type { Outcome } from './lessons.ts';
import type { Ids } from './ports.ts';
import type { Projections, ReadModel } from './read-model.ts';
import { hashOf, newApiKey } from './tokens.ts';

export interface AccessOptions {
  readonly handle: Handle;
  readonly readModel: ReadModel;
  readonly projections: Projections;
  readonly ids: Ids;
}

export interface KnownKey {
  readonly tenantId: TenantId;
  readonly keyId: KeyId;
  readonly roles: readonly Role[];
}

/** The school that the first start makes. */
export const defaultTenant = TenantId.parse('default');

const reused: Refusal = {
  code: 'command_reused',
  message: 'this call already made a key, which is shown only once: revoke it and make another',
};
const notThere: Refusal = { code: 'not_found', message: 'there is no such API key' };

/** Tenants and their API keys. */
export class Access {
  readonly #options: AccessOptions;
  /** By hash; emptied whenever the log says that keys have changed. */
  readonly #known = new Map<string, KnownKey>();

  constructor(options: AccessOptions) {
    this.#options = options;
  }

  /** Null for a key that was never issued or is revoked. */
  async findKey(key: string): Promise<KnownKey | null> {
    const keyHash = hashOf(key);
    const known = this.#known.get(keyHash);
    if (known !== undefined) return known;
    const row = await this.#options.readModel.apiKeyByHash(keyHash);
    if (row === null || row.revoked) return null;
    const found = { tenantId: row.tenantId, keyId: row.keyId, roles: [row.role] };
    this.#known.set(keyHash, found);
    return found;
  }

  list(tenantId: TenantId): Promise<ApiKey[]> {
    return this.#options.readModel.apiKeys(tenantId);
  }

  /** `written`: false when the tenant is there already. */
  createTenant(name: string, context: CommandContext): Promise<Outcome<{ readonly written: boolean }>> {
    return this.#command({ type: 'CreateTenant', name }, context);
  }

  async issue(
    { role, label, idempotencyKey }: { readonly role: Role; readonly label: string; readonly idempotencyKey?: string | undefined },
    context: CommandContext,
  ): Promise<Outcome<{ readonly keyId: KeyId; readonly role: Role; readonly key: string }>> {
    const keyId = KeyId.parse(keyIdOf(context.tenantId, 'api-key', idempotencyKey ?? this.#options.ids.next()));
    const key = newApiKey();
    const handled = await this.#command({ type: 'IssueApiKey', keyId, role, label, keyHash: hashOf(key) }, context);
    if ('refused' in handled) return handled;
    return handled.written ? { keyId, role, key } : { refused: reused };
  }

  async revoke(keyId: KeyId, context: CommandContext): Promise<Outcome<ApiKey>> {
    const handled = await this.#command({ type: 'RevokeApiKey', keyId }, context);
    if ('refused' in handled) return handled;
    this.#known.clear();
    const keys = await this.list(context.tenantId);
    return keys.find((candidate) => candidate.keyId === keyId) ?? { refused: notThere };
  }

  /** Keys revoked on another node stop working here too. */
  follow(event: ClearEvent): void {
    if (event.type === 'ApiKeyRevoked') this.#known.clear();
  }

  async #command(command: TenantCommand, context: CommandContext): Promise<Outcome<{ readonly written: boolean }>> {
    const stream = streams.tenant(context.tenantId);
    const handled = await this.#options.handle.handle({ aggregate: tenants, stream, commands: () => [command], context });
    if (handled.status === 'refused') return { refused: handled.refusal };
    if (handled.position !== null) await this.#options.projections.waitFor(handled.position);
    return { written: handled.position !== null };
  }
}
