import type { KeyId, Role, TenantId } from '@virtual-tutor/schemas';
import type { App } from '../app/app.ts';
import type { ConsoleToken, EngineToken } from '../app/tokens.ts';

/** Who calls. Anonymous callers get through to the procedures' policies, which turn them away. */
export type Caller =
  | { readonly kind: 'anonymous'; readonly reason: 'none' | 'invalid' }
  | { readonly kind: 'key'; readonly tenantId: TenantId; readonly keyId: KeyId; readonly roles: readonly Role[] }
  | ({ readonly kind: 'console' } & ConsoleToken)
  | ({ readonly kind: 'student' } & EngineToken);

/** The data-plane socket behind a call; plain HTTP calls have none. */
export interface Connection {
  /** Resolves when the socket can take more; rejects when it was cut for not reading. */
  drained(signal: AbortSignal): Promise<void>;
  /** Takes one of the socket's subscription places; null when all are taken. */
  subscribe(): Disposable | null;
  close(code: number, reason: string): void;
}

export interface Context {
  readonly app: App;
  readonly requestId: string;
  readonly caller: Caller;
  /** Network address, for limits on those without a credential. */
  readonly address: string;
  /** True when the request came over loopback, to a loopback name, through no proxy. */
  readonly local: boolean;
  /** `upgrade_required` when the client speaks another protocol version. */
  readonly outdated: boolean;
  readonly connection: Connection | null;
  /** Of a plain HTTP call; null: it has none of this name. */
  header(name: string): string | null;
}
