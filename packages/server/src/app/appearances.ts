import {
  type Appearance,
  type AvatarId,
  type Locale,
  type SessionId,
  type StreamName,
  streams,
  type TenantId,
  type TutorSettings,
} from '@virtual-tutor/schemas';
import { avatars, sessions } from './aggregates.ts';
import { type ClearEvent, decodeClear } from './event-codec.ts';
import { drawnFace } from './face-choice.ts';
import type { Handle } from './handle.ts';
import type { StoredEvent } from './ports.ts';

export interface AppearancesOptions {
  readonly handle: Handle;
  /** A whole stream, in order. */
  readonly read: (stream: StreamName) => AsyncIterable<StoredEvent>;
}

/**
 * How the tutor looked and sounded from each opening of the session's voice and picture on, by the settings that were in force then: a tutor that
 * is configured anew keeps what its lessons under way began with. A film that may not be seen any more is named, with why. Null: no such session.
 */
export async function appearancesOf(
  { handle, read }: AppearancesOptions,
  { tenantId, sessionId }: { readonly tenantId: TenantId; readonly sessionId: SessionId },
): Promise<readonly Appearance[] | null> {
  const { state } = await handle.load(sessions, streams.session(sessionId), { tenantId });
  if (state.status === 'absent') return null;
  const configured = await collect(read(streams.tutor(tenantId, state.tutorId)));
  const appearances: Appearance[] = [];
  for (const { stored } of (await collect(read(streams.session(sessionId)))).filter(opensMedia)) {
    const settings = settingsAt(configured, stored.position);
    const film = settings?.avatarId == null ? null : await filmOf(handle, { tenantId, avatarId: settings.avatarId });
    appearances.push({ revision: stored.revision, ...looksOf(settings, state.locale), film });
  }
  return appearances;
}

async function collect(events: AsyncIterable<StoredEvent>): Promise<readonly ClearEvent[]> {
  const all: ClearEvent[] = [];
  for await (const stored of events) all.push(decodeClear(stored));
  return all;
}

function opensMedia({ type, payload }: ClearEvent): boolean {
  return type === 'QualityChanged' && payload.from === 'text' && payload.reason === 'connected';
}

function settingsAt(configured: readonly ClearEvent[], position: number): TutorSettings | null {
  const last = configured.findLast((event) => event.type === 'TutorConfigured' && event.stored.position < position);
  return last?.type === 'TutorConfigured' ? last.payload.after : null;
}

function looksOf(settings: TutorSettings | null, locale: Locale): Pick<Appearance, 'voice' | 'face'> {
  return { voice: settings?.voice ?? null, face: drawnFace(settings, locale) };
}

async function filmOf(
  handle: Handle,
  { tenantId, avatarId }: { readonly tenantId: TenantId; readonly avatarId: AvatarId },
): Promise<Appearance['film']> {
  const { state } = await handle.load(avatars, streams.avatar(avatarId), { tenantId });
  if (state.status === 'ready') return { avatarId, status: 'ready', artifacts: [...state.artifacts] };
  return { avatarId, status: state.status === 'revoked' || state.status === 'deleted' ? state.status : 'not_ready', artifacts: [] };
}
