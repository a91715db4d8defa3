import { avatarEvents } from './avatar-events.ts';
import { knowledgeEvents } from './knowledge-events.ts';
import { sessionEvents } from './session-events.ts';
import { tenantEvents } from './tenant-events.ts';
import { tutorEvents } from './tutor-events.ts';

/** Every event type there is, by stream category. */
export const catalogue = {
  session: sessionEvents,
  avatar: avatarEvents,
  tutor: tutorEvents,
  knowledge: knowledgeEvents,
  tenant: tenantEvents,
} as const;
