import { audioRouter } from './audio-router.ts';
import { auditRouter } from './audit-router.ts';
import { avatarsRouter } from './avatars-router.ts';
import { chatRouter } from './chat-router.ts';
import { knowledgeRouter } from './knowledge-router.ts';
import { consoleRouter, health, keysRouter, privacyRouter, projectionsRouter } from './operations-router.ts';
import { sessionRouter } from './session-router.ts';
import { sessionsRouter } from './sessions-router.ts';
import { router } from './trpc.ts';
import { tutorsRouter } from './tutors-router.ts';
import { webrtcRouter } from './webrtc-router.ts';

/** Everything there is to call. */
export const appRouter = router({
  health,
  console: consoleRouter,
  sessions: sessionsRouter,
  session: sessionRouter,
  chat: chatRouter,
  audio: audioRouter,
  webrtc: webrtcRouter,
  tutors: tutorsRouter,
  knowledge: knowledgeRouter,
  avatars: avatarsRouter,
  audit: auditRouter,
  privacy: privacyRouter,
  keys: keysRouter,
  projections: projectionsRouter,
});

export type AppRouter = typeof appRouter;
