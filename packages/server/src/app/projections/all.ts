import { apiKeysProjection } from './access.ts';
import { avatarsProjection } from './avatars.ts';
import { keptWordsProjection } from './kept-words.ts';
import { documentsProjection, knowledgeBasesProjection } from './knowledge.ts';
import { sessionsProjection } from './sessions.ts';
import { transcriptProjection, usageProjection } from './transcript.ts';
import { tutorsProjection } from './tutors.ts';

export const allProjections = [
  sessionsProjection,
  transcriptProjection,
  usageProjection,
  keptWordsProjection,
  avatarsProjection,
  tutorsProjection,
  knowledgeBasesProjection,
  documentsProjection,
  apiKeysProjection,
] as const;
