import { tailEvents } from './audit-tail.ts';
import { uploadAvatar } from './avatar-upload.ts';
import { watchAvatar } from './avatar-watch.ts';
import { type Call, type CallDefaults, caller } from './calls.ts';
import type { CallOptions, MutationOptions, TutorClient } from './contract.ts';
import { apiKeyPrefix, isBrowser } from './endpoint.ts';
import { TutorError } from './errors.ts';
import { exportEvidence } from './evidence.ts';
import { verifyLog } from './log-verdict.ts';
import { type Api, openApi, translated, uploadHeaders } from './transport.ts';
import { uuidv7 } from './uuid.ts';

export interface TutorClientOptions extends CallDefaults {
  /** Address of the engine, such as `http://localhost:9000`. */
  readonly url: string;
  /** `vt_key_...`, on servers only; in a browser, the token of a signed-in console. */
  readonly apiKey: string;
  readonly fetch?: typeof globalThis.fetch;
  /** Only for an operator's own page, such as the console: whoever can run script in it can read the key. */
  readonly allowApiKeyInBrowser?: boolean;
}

/** The control plane over plain HTTP. */
export function createTutorClient(options: TutorClientOptions): TutorClient {
  const { url, apiKey, fetch } = options;
  if (isBrowser() && options.allowApiKeyInBrowser !== true && apiKey.startsWith(apiKeyPrefix)) {
    throw new TutorError('forbidden', 'apiKey: an API key must not reach a browser; create sessions on your server and hand out grants');
  }
  const api = openApi({ url, credential: apiKey, headersOf: uploadHeaders, ...(fetch === undefined ? {} : { fetch }) });
  const call = caller(options, translated);
  return {
    health: (callOptions) => call(callOptions, (request) => api.health.query(undefined, request)),
    whoami: (callOptions) => call(callOptions, (request) => api.console.whoami.query(undefined, request)),
    sessions: sessionsOf(api, call),
    tutors: tutorsOf(api, call),
    knowledge: knowledgeOf(api, call),
    avatars: avatarsOf(api, call),
    audit: auditOf(api, call),
    privacy: privacyOf(api, call),
  };
}

/** Signs a page in that runs on the engine's own machine; refused everywhere else. */
export async function signInOnLoopback(
  url: string,
  options: Pick<TutorClientOptions, 'fetch'> & CallOptions = {},
): Promise<{ readonly token: string; readonly expiresAt: string }> {
  const { fetch } = options;
  const api = openApi({ url, credential: null, ...(fetch === undefined ? {} : { fetch }) });
  return caller({}, translated)(options, (request) => api.console.signIn.mutate(undefined, request));
}

/** Made when the call is made, so that its retries are one command. */
function keyOf(options: MutationOptions | undefined): { readonly idempotencyKey: string } {
  return { idempotencyKey: options?.idempotencyKey ?? uuidv7() };
}

interface Page<Item> {
  readonly items: readonly Item[];
  readonly nextCursor: string | null;
}

async function* pages<Item>(
  fetchPage: (cursor: { readonly cursor?: string }) => Promise<Page<Item>>,
): AsyncGenerator<Item, void, undefined> {
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const page = await fetchPage(cursor === undefined ? {} : { cursor });
    yield* page.items;
    cursor = page.nextCursor;
  }
}

function sessionsOf(api: Api, call: Call): TutorClient['sessions'] {
  return {
    create(session, options) {
      const input = { ...session, ...keyOf(options) };
      return call(options, (request) => api.sessions.create.mutate(input, request));
    },
    get: (sessionId, options) => call(options, (request) => api.sessions.get.query({ sessionId }, request)),
    list: (filter = {}, options) =>
      pages((cursor) => call(options, (request) => api.sessions.list.query({ ...filter, ...cursor }, request))),
    end(sessionId, options) {
      const input = { sessionId, ...keyOf(options) };
      return call(options, (request) => api.sessions.end.mutate(input, request));
    },
    issueToken: (sessionId, options) => call(options, (request) => api.sessions.issueToken.mutate({ sessionId }, request)),
    invite(sessionId, invitation = {}, options) {
      const input = { sessionId, ...invitation, ...keyOf(options) };
      return call(options, (request) => api.sessions.invite.mutate(input, request));
    },
    transcript: (sessionId, options) =>
      pages((cursor) => call(options, (request) => api.sessions.transcript.query({ sessionId, ...cursor }, request))),
  };
}

function tutorsOf(api: Api, call: Call): TutorClient['tutors'] {
  return {
    configure(tutorId, settings, options) {
      const input = { tutorId, settings, ...keyOf(options) };
      return call(options, (request) => api.tutors.configure.mutate(input, request));
    },
    get: (tutorId, options) => call(options, (request) => api.tutors.get.query({ tutorId }, request)),
    list: (options) => pages((cursor) => call(options, (request) => api.tutors.list.query(cursor, request))),
    retire(tutorId, options) {
      const input = { tutorId, ...keyOf(options) };
      return call(options, (request) => api.tutors.retire.mutate(input, request));
    },
  };
}

function knowledgeOf(api: Api, call: Call): TutorClient['knowledge'] {
  return {
    create(knowledgeBaseId, name, options) {
      const input = { knowledgeBaseId, name, ...keyOf(options) };
      return call(options, (request) => api.knowledge.create.mutate(input, request));
    },
    get: (knowledgeBaseId, options) => call(options, (request) => api.knowledge.get.query({ knowledgeBaseId }, request)),
    list: (options) => pages((cursor) => call(options, (request) => api.knowledge.list.query(cursor, request))),
    addDocument(knowledgeBaseId, document, options) {
      const input = { knowledgeBaseId, ...document, ...keyOf(options) };
      return call(options, (request) => api.knowledge.addDocument.mutate(input, request));
    },
    documents: (knowledgeBaseId, options) =>
      pages((cursor) => call(options, (request) => api.knowledge.documents.query({ knowledgeBaseId, ...cursor }, request))),
    removeDocument(knowledgeBaseId, documentId, options) {
      const input = { knowledgeBaseId, documentId, ...keyOf(options) };
      return call(options, (request) => api.knowledge.removeDocument.mutate(input, request));
    },
  };
}

function avatarsOf(api: Api, call: Call): TutorClient['avatars'] {
  return {
    upload: (clip, avatar, options = {}) => uploadAvatar({ api, call }, clip, { avatar, options }),
    create({ path, ...avatar }, options) {
      const input = { ...avatar, source: { type: 'path', path } as const, ...keyOf(options) };
      return call(options, (request) => api.avatars.create.mutate(input, request));
    },
    get: (avatarId, options) => call(options, (request) => api.avatars.get.query({ avatarId }, request)),
    list: (options) => pages((cursor) => call(options, (request) => api.avatars.list.query(cursor, request))),
    watch: (avatarId, options) => watchAvatar(api, avatarId, options?.signal),
    async file(avatarId, name, options) {
      const { mime, base64 } = await call(options, (request) => api.avatars.file.query({ avatarId, name }, request));
      return { mime, bytes: Uint8Array.from(atob(base64), (character) => character.charCodeAt(0)) };
    },
    revoke(revocation, options) {
      const input = { ...revocation, ...keyOf(options) };
      return call(options, (request) => api.avatars.revoke.mutate(input, request));
    },
    remove(avatarId, options) {
      const input = { avatarId, ...keyOf(options) };
      return call(options, (request) => api.avatars.remove.mutate(input, request));
    },
  };
}

function auditOf(api: Api, call: Call): TutorClient['audit'] {
  return {
    sessions: (filter = {}, options) =>
      pages((cursor) => call(options, (request) => api.audit.sessions.query({ ...filter, ...cursor }, request))),
    async *events(sessionId, options) {
      for (let after = options?.after ?? 0; ; ) {
        const page = await call(options, (request) => api.audit.events.query({ sessionId, after }, request));
        yield* page.items;
        after = page.items.at(-1)?.revision ?? after;
        if (page.items.length === 0 || after >= page.headRevision) return;
      }
    },
    state: (sessionId, at = {}, options) => call(options, (request) => api.audit.state.query({ sessionId, ...at }, request)),
    verify: (sessionId, options) => call(options, (request) => api.audit.verify.query({ sessionId }, request)),
    tutor: (tutorId, at = {}, options) => call(options, (request) => api.audit.tutor.query({ tutorId, ...at }, request)),
    coverage: (sessionId, options) => call(options, (request) => api.audit.coverage.query({ sessionId }, request)),
    async *seals(options) {
      for (let after = options?.after ?? -1; ; ) {
        const page = await call(options, (request) => api.audit.seals.query({ after }, request));
        yield* page;
        const last = page.at(-1);
        if (last === undefined) return;
        after = last.sealNo;
      }
    },
    verifyLog: (options = {}) => verifyLog(api, options),
    export: (sessionId, options = {}) => exportEvidence(api, sessionId, options),
    tail: (options = {}) => tailEvents(api, options),
  };
}

function privacyOf(api: Api, call: Call): TutorClient['privacy'] {
  return {
    forgetStudent(studentId, options) {
      const input = { studentId, ...keyOf(options) };
      return call(options, (request) => api.privacy.forgetStudent.mutate(input, request));
    },
    exportStudent(studentId, options) {
      const input = { studentId, ...keyOf(options) };
      return pages((cursor) => call(options, (request) => api.privacy.exportStudent.mutate({ ...input, ...cursor }, request)));
    },
    retention: (options) => call(options, (request) => api.privacy.retention.query(undefined, request)),
    configureRetention(retention, options) {
      const input = { ...retention, ...keyOf(options) };
      return call(options, (request) => api.privacy.configureRetention.mutate(input, request));
    },
  };
}
