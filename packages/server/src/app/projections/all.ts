import { apiKeysProjection } from './access.ts';
import { avatarsProjection } from './avatars.ts';
import { documentsProjection, knowledgeBasesProjection } from './knowledge.ts';
import { sessionsProjection } from './sessions.ts';
import { transcriptProjection, usageProjection } from './transcript.ts';
import { tutorsProjection } from './tutors.ts';

export const allProjections = [
  sessionsProjection,
  transcriptProjection,
  usageProjection,
  avatarsProjection,
  tutorsProjection,
  knowledgeBasesProjection,
  documentsProjection,
  apiKeysProjection,
] as const;
