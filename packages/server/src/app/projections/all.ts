import { apiKeysProjection } from './access.ts';
import { documentsProjection, knowledgeBasesProjection } from './knowledge.ts';
import { sessionsProjection } from './sessions.ts';
import { transcriptProjection, usageProjection } from './transcript.ts';
import { tutorsProjection } from './tutors.ts';

export const allProjections = [
  sessionsProjection,
  transcriptProjection,
  usageProjection,
  tutorsProjection,
  knowledgeBasesProjection,
  documentsProjection,
  apiKeysProjection,
] as const;
