import { createHmac, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { maxAudioBytes, maxFrameBytes, maxMessageLength, maxOfferLength } from '@virtual-tutor/schemas';
import { SignJWT } from 'jose';
import { v7 } from 'uuid';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { type RunningEngine, startEngine } from '../support/engine.ts';
import { type Outcome, openWire, wire } from '../support/wire.ts';

const Created = z.object({ session: z.object({ id: z.string() }), grant: z.object({ token: z.string(), url: z.string() }) });

interface World {
  readonly engine: RunningEngine;
  readonly operator: ReturnType<typeof wire>;
  readonly teacher: ReturnType<typeof wire>;
  readonly auditor: ReturnType<typeof wire>;
  readonly nobody: ReturnType<typeof wire>;
  /** A student in her own active session. */
  readonly student: ReturnType<typeof wire>;
  readonly token: string;
  readonly sessionId: string;
  /** Another student's session. */
  readonly otherSessionId: string;
  /** A session that has ended, and its student. */
  readonly endedSessionId: string;
  readonly endedStudent: ReturnType<typeof wire>;
  readonly revokedKey: string;
  readonly usedCode: string;
  readonly knownMessageId: string;
}

function dataOf(outcome: Outcome): unknown {
  if (!outcome.ok) throw new Error(`refused: ${outcome.error.message}`);
  return outcome.data;
}

async function makeWorld(): Promise<World> {
  const engine = await startEngine({ MAX_SESSIONS: '6' });
  const operator = wire(engine.url, engine.apiKey);
  const key = async (role: string) =>
    z.object({ key: z.string(), keyId: z.string() }).parse(dataOf(await operator.mutate('keys.create', { role })));
  const session = async (studentId: string) =>
    Created.parse(dataOf(await operator.mutate('sessions.create', { tutorId: 'ada', studentId })));
  const [teacher, auditor, revoked] = [await key('teacher'), await key('auditor'), await key('operator')];
  dataOf(await operator.mutate('keys.revoke', { keyId: revoked.keyId }));
  const [mine, other, over] = [await session('s-mine'), await session('s-other'), await session('s-over')];
  dataOf(await operator.mutate('sessions.end', { sessionId: over.session.id }));
  const link = z.object({ url: z.string() }).parse(dataOf(await operator.mutate('sessions.invite', { sessionId: other.session.id })));
  const usedCode = link.url.slice(link.url.lastIndexOf('/') + 1);
  dataOf(await wire(engine.url, null).mutate('sessions.join', { code: usedCode }));
  const student = wire(engine.url, mine.grant.token);
  const knownMessageId = randomUUID();
  dataOf(await student.mutate('chat.send', { sessionId: mine.session.id, clientMessageId: knownMessageId, text: 'Why is the sky blue?' }));
  dataOf(await student.mutate('chat.interrupt', { sessionId: mine.session.id }));
  return {
    engine,
    operator,
    teacher: wire(engine.url, teacher.key),
    auditor: wire(engine.url, auditor.key),
    nobody: wire(engine.url, null),
    student,
    token: mine.grant.token,
    sessionId: mine.session.id,
    otherSessionId: other.session.id,
    endedSessionId: over.session.id,
    endedStudent: wire(engine.url, over.grant.token),
    revokedKey: revoked.key,
    usedCode,
    knownMessageId,
  };
}

async function forged(
  world: World,
  over: { readonly claims?: object; readonly audience?: string; readonly expires?: number; readonly secret?: Uint8Array },
): Promise<string> {
  const secret = over.secret ?? Buffer.from(readFileSync(join(world.engine.dataDir, 'token.key'), 'utf8').trim(), 'base64');
  const now = Math.floor(Date.now() / 1000);
  return new SignJWT({ scope: 'session', ten: 'default', sid: world.sessionId, ...over.claims })
    .setProtectedHeader({ alg: 'HS256' })
    .setIssuer('virtual-tutor-engine')
    .setAudience(over.audience ?? 'data')
    .setSubject('s-mine')
    .setIssuedAt(now)
    .setExpirationTime(over.expires ?? now + 60)
    .sign(secret);
}

function unsigned(world: World): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    scope: 'session',
    ten: 'default',
    sid: world.sessionId,
    sub: 's-mine',
    iss: 'virtual-tutor-engine',
    aud: 'data',
    exp: now + 60,
  };
  return `${part({ alg: 'none' })}.${part(claims)}.`;
}

const message = (world: World, over: object = {}) => ({
  sessionId: world.sessionId,
  clientMessageId: randomUUID(),
  text: 'hello',
  ...over,
});
const pcm = (world: World, audio: unknown, sessionId = world.sessionId) => ({ sessionId, pcm: audio });
const offer = (world: World, over: object = {}) => ({ sessionId: world.sessionId, peerId: randomUUID(), offer: 'v=0', ...over });
const candidate = (world: World, over: object = {}) => ({
  sessionId: world.sessionId,
  peerId: randomUUID(),
  candidate: 'candidate:1 1 udp 1 127.0.0.1 10111 typ relay',
  ...over,
});
const absent = v7();

type Call = (world: World) => Promise<Outcome>;
const calls: readonly (readonly [what: string, code: string, call: Call])[] = [
  // Malformed
  ['a body that is not JSON', 'invalid_input', (w) => w.operator.mutate('sessions.create', '{"tutorId":')],
  ['an empty body', 'invalid_input', (w) => w.operator.mutate('sessions.create', '')],
  ['a body that is a number', 'invalid_input', (w) => w.operator.mutate('sessions.create', 7)],
  ['a body that is null', 'invalid_input', (w) => w.operator.mutate('sessions.create', null)],
  ['a body that is a list', 'invalid_input', (w) => w.operator.mutate('sessions.create', [])],
  ['a field of the wrong type', 'invalid_input', (w) => w.operator.mutate('sessions.create', { tutorId: 1, studentId: 's' })],
  ['a field that is missing', 'invalid_input', (w) => w.operator.mutate('sessions.create', { tutorId: 'ada' })],
  ['an unknown mode', 'invalid_input', (w) => w.operator.mutate('sessions.create', { tutorId: 'ada', studentId: 's', mode: 'group' })],
  ['an unknown locale', 'invalid_input', (w) => w.operator.mutate('sessions.create', { tutorId: 'ada', studentId: 's', locale: 'xx' })],
  [
    'a student id with a path in it',
    'invalid_input',
    (w) => w.operator.mutate('sessions.create', { tutorId: 'ada', studentId: '../../etc' }),
  ],
  [
    'a student id with SQL in it',
    'invalid_input',
    (w) => w.operator.mutate('sessions.create', { tutorId: 'ada', studentId: "s'; drop table es_event" }),
  ],
  [
    'a student id that is too long',
    'invalid_input',
    (w) => w.operator.mutate('sessions.create', { tutorId: 'ada', studentId: 's'.repeat(65) }),
  ],
  [
    'an idempotency key that is not a UUIDv7',
    'invalid_input',
    (w) => w.operator.mutate('sessions.create', { tutorId: 'ada', studentId: 's', idempotencyKey: randomUUID() }),
  ],
  ['a session id that is not a UUID', 'invalid_input', (w) => w.operator.query('sessions.get', { sessionId: 'x' })],
  ['a session id of another UUID version', 'invalid_input', (w) => w.operator.query('sessions.get', { sessionId: randomUUID() })],
  ['a page of no rows', 'invalid_input', (w) => w.operator.query('sessions.list', { limit: 0 })],
  ['a page of too many rows', 'invalid_input', (w) => w.operator.query('sessions.list', { limit: 201 })],
  ['a page of half a row', 'invalid_input', (w) => w.operator.query('sessions.list', { limit: 1.5 })],
  ['a cursor that no page gave out', 'invalid_input', (w) => w.operator.query('sessions.list', { cursor: 'next' })],
  ['a negative revision', 'invalid_input', (w) => w.auditor.query('audit.events', { sessionId: w.sessionId, after: -1 })],
  ['revision zero', 'invalid_input', (w) => w.auditor.query('audit.state', { sessionId: w.sessionId, revision: 0 })],
  ['an empty message', 'invalid_input', (w) => w.student.mutate('chat.send', message(w, { text: '' }))],
  ['a message of white space', 'invalid_input', (w) => w.student.mutate('chat.send', message(w, { text: ' \n\t ' }))],
  [
    'a message that is too long',
    'invalid_input',
    (w) => w.student.mutate('chat.send', message(w, { text: 'x'.repeat(maxMessageLength + 1) })),
  ],
  ['a message that is an object', 'invalid_input', (w) => w.student.mutate('chat.send', message(w, { text: { $gt: '' } }))],
  ['a message without an id', 'invalid_input', (w) => w.student.mutate('chat.send', message(w, { clientMessageId: undefined }))],
  ['a message with a bad id', 'invalid_input', (w) => w.student.mutate('chat.send', message(w, { clientMessageId: '1' }))],
  ['a turn id that is no UUID', 'invalid_input', (w) => w.student.mutate('chat.interrupt', { sessionId: w.sessionId, turnId: 'now' })],
  [
    'a temperature out of range',
    'invalid_input',
    (w) =>
      w.teacher.mutate('tutors.configure', {
        tutorId: 't',
        settings: { name: 'T', language: 'en', systemPrompt: '', llmModel: null, temperature: 3, knowledgeBaseId: null, greeting: '' },
      }),
  ],
  [
    'a setting that does not exist',
    'invalid_input',
    (w) =>
      w.teacher.mutate('tutors.configure', {
        tutorId: 't',
        settings: {
          name: 'T',
          language: 'en',
          systemPrompt: '',
          llmModel: null,
          temperature: null,
          knowledgeBaseId: null,
          greeting: '',
          admin: true,
        },
      }),
  ],
  [
    'a document of an unknown kind',
    'invalid_input',
    (w) => w.teacher.mutate('knowledge.addDocument', { knowledgeBaseId: 'light-water-sky-en', title: 'T', mime: 'text/html', text: 'x' }),
  ],
  ['a role that does not exist', 'invalid_input', (w) => w.operator.mutate('keys.create', { role: 'root' })],
  [
    'a link that lasts for ever',
    'invalid_input',
    (w) => w.operator.mutate('sessions.invite', { sessionId: w.sessionId, ttlSeconds: 10 ** 9 }),
  ],
  ['a code that is too short', 'invalid_input', (w) => w.nobody.mutate('sessions.join', { code: 'x' })],
  ['a procedure that does not exist', 'not_found', (w) => w.operator.query('sessions.drop', {})],
  ['the prototype as a procedure', 'not_found', (w) => w.operator.query('__proto__', {})],
  ['a mutation asked as a query', 'invalid_input', (w) => w.operator.query('sessions.create', { tutorId: 'ada', studentId: 's' })],
  [
    'form data where JSON belongs',
    'invalid_input',
    (w) => w.operator.mutate('sessions.create', 'tutorId=ada', { 'content-type': 'application/x-www-form-urlencoded' }),
  ],
  ['microphone audio that is not base64', 'invalid_input', (w) => w.student.mutate('audio.append', pcm(w, 'not base64!'))],
  ['microphone audio of half a sample', 'invalid_input', (w) => w.student.mutate('audio.append', pcm(w, 'AQID'))],
  ['microphone audio of nothing', 'invalid_input', (w) => w.student.mutate('audio.append', pcm(w, ''))],
  ['microphone audio that is a list', 'invalid_input', (w) => w.student.mutate('audio.append', pcm(w, [1, 2]))],
  ['an offer of nothing', 'invalid_input', (w) => w.student.mutate('webrtc.negotiate', offer(w, { offer: '' }))],
  ['an offer from a peer without an id', 'invalid_input', (w) => w.student.mutate('webrtc.negotiate', offer(w, { peerId: '1' }))],
  ['a candidate for a peer without an id', 'invalid_input', (w) => w.student.mutate('webrtc.addCandidate', candidate(w, { peerId: null }))],
  // Oversized
  [
    'more microphone audio than two seconds',
    'invalid_input',
    (w) => w.student.mutate('audio.append', pcm(w, Buffer.alloc(maxAudioBytes + 2).toString('base64'))),
  ],
  [
    'an offer that is too long',
    'invalid_input',
    (w) => w.student.mutate('webrtc.negotiate', offer(w, { offer: 'v'.repeat(maxOfferLength + 1) })),
  ],
  [
    'a candidate that is too long',
    'invalid_input',
    (w) => w.student.mutate('webrtc.addCandidate', candidate(w, { candidate: 'c'.repeat(1_025) })),
  ],
  [
    'a document that is too large',
    'invalid_input',
    (w) =>
      w.teacher.mutate('knowledge.addDocument', {
        knowledgeBaseId: 'light-water-sky-en',
        title: 'T',
        mime: 'text/plain',
        text: 'x'.repeat(1_000_001),
      }),
  ],
  [
    'a request that is too large',
    'payload_too_large',
    (w) => w.operator.mutate('sessions.create', { tutorId: 'ada', studentId: 's', more: 'x'.repeat(9_000_000) }),
  ],
  // Without a right
  ['no credential on the control plane', 'unauthorized', (w) => w.nobody.query('sessions.list', {})],
  ['no credential on the data plane', 'unauthorized', (w) => w.nobody.mutate('chat.send', message(w))],
  ['no credential for a microphone', 'unauthorized', (w) => w.nobody.mutate('audio.append', pcm(w, 'AQI='))],
  ['no credential for a connection', 'unauthorized', (w) => w.nobody.mutate('webrtc.negotiate', offer(w))],
  ['an API key that wants to connect', 'forbidden', (w) => w.operator.query('webrtc.config', { sessionId: w.sessionId })],
  ["a microphone in another student's session", 'forbidden', (w) => w.student.mutate('audio.append', pcm(w, 'AQI=', w.otherSessionId))],
  [
    "a connection to another student's session",
    'forbidden',
    (w) => w.student.mutate('webrtc.negotiate', offer(w, { sessionId: w.otherSessionId })),
  ],
  ["another student's relay credentials", 'forbidden', (w) => w.student.query('webrtc.config', { sessionId: w.otherSessionId })],
  ['voice where it is switched off', 'media_unavailable', (w) => w.student.query('webrtc.config', { sessionId: w.sessionId })],
  ['a connection where voice is switched off', 'media_unavailable', (w) => w.student.mutate('webrtc.negotiate', offer(w))],
  ['a microphone where voice is switched off', 'media_unavailable', (w) => w.student.mutate('audio.append', pcm(w, 'AQI='))],
  [
    'a key that was never issued',
    'unauthorized',
    (w) => wire(w.engine.url, 'vt_key_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA').query('sessions.list', {}),
  ],
  ['a key that was revoked', 'unauthorized', (w) => wire(w.engine.url, w.revokedKey).query('sessions.list', {})],
  ['a credential that is garbage', 'unauthorized', (w) => wire(w.engine.url, 'garbage').query('sessions.list', {})],
  ['a token without a signature', 'unauthorized', (w) => wire(w.engine.url, unsigned(w)).mutate('chat.send', message(w))],
  [
    'a token signed by somebody else',
    'unauthorized',
    async (w) => wire(w.engine.url, await forged(w, { secret: createHmac('sha256', 'x').digest() })).mutate('chat.send', message(w)),
  ],
  [
    'a token that has expired',
    'unauthorized',
    async (w) => wire(w.engine.url, await forged(w, { expires: 1_000_000 })).mutate('chat.send', message(w)),
  ],
  [
    'a token for another purpose',
    'unauthorized',
    async (w) => wire(w.engine.url, await forged(w, { audience: 'media' })).mutate('chat.send', message(w)),
  ],
  [
    'a token with a scope of its own',
    'unauthorized',
    async (w) => wire(w.engine.url, await forged(w, { claims: { scope: 'root' } })).mutate('chat.send', message(w)),
  ],
  ['a token cut short', 'unauthorized', (w) => wire(w.engine.url, w.token.slice(0, -3)).mutate('chat.send', message(w))],
  ['a token on the control plane', 'forbidden', (w) => w.student.query('sessions.list', {})],
  ['a key on the data plane', 'forbidden', (w) => w.operator.mutate('chat.send', message(w))],
  ['a teacher who makes a session', 'forbidden', (w) => w.teacher.mutate('sessions.create', { tutorId: 'ada', studentId: 's' })],
  ['a teacher who reads the log', 'forbidden', (w) => w.teacher.query('audit.events', { sessionId: w.sessionId })],
  ['an operator who reads the log', 'forbidden', (w) => w.operator.query('audit.events', { sessionId: w.sessionId })],
  ['an auditor who ends a session', 'forbidden', (w) => w.auditor.mutate('sessions.end', { sessionId: w.sessionId })],
  ['an auditor who makes a key', 'forbidden', (w) => w.auditor.mutate('keys.create', { role: 'operator' })],
  ['an auditor who forgets a student', 'forbidden', (w) => w.auditor.mutate('privacy.forgetStudent', { studentId: 's-mine' })],
  [
    "a student in another student's session",
    'forbidden',
    (w) => w.student.mutate('chat.send', message(w, { sessionId: w.otherSessionId })),
  ],
  ["a student who ends another student's session", 'forbidden', (w) => w.student.mutate('sessions.end', { sessionId: w.otherSessionId })],
  [
    "a student who renews a token for another's session",
    'forbidden',
    (w) => w.student.mutate('session.renewToken', { sessionId: w.otherSessionId }),
  ],
  [
    "a token of another tenant for this session's words",
    'not_found',
    async (w) => wire(w.engine.url, await forged(w, { claims: { ten: 'elsewhere' } })).mutate('chat.send', message(w)),
  ],
  [
    'a user token that is for another student',
    'forbidden',
    async (w) =>
      wire(w.engine.url, await forged(w, { claims: { scope: 'user' } })).mutate('chat.send', message(w, { sessionId: w.otherSessionId })),
  ],
  // Not there
  ['a session that is not there', 'not_found', (w) => w.operator.query('sessions.get', { sessionId: absent })],
  ['ending a session that is not there', 'not_found', (w) => w.operator.mutate('sessions.end', { sessionId: absent })],
  ['a tutor that is not there', 'not_found', (w) => w.operator.mutate('sessions.create', { tutorId: 'nobody', studentId: 's' })],
  [
    'a knowledge base that is not there',
    'not_found',
    (w) => w.operator.mutate('sessions.create', { tutorId: 'ada', studentId: 's', knowledgeBaseId: 'none' }),
  ],
  [
    'a document for no knowledge base',
    'not_found',
    (w) => w.teacher.mutate('knowledge.addDocument', { knowledgeBaseId: 'none', title: 'T', mime: 'text/plain', text: 'words' }),
  ],
  [
    'removing a document that is not there',
    'not_found',
    (w) => w.teacher.mutate('knowledge.removeDocument', { knowledgeBaseId: 'light-water-sky-en', documentId: randomUUID() }),
  ],
  ['revoking a key that is not there', 'not_found', (w) => w.operator.mutate('keys.revoke', { keyId: randomUUID() })],
  ['rebuilding a projection that is not there', 'not_found', (w) => w.operator.mutate('projections.rebuild', { name: 'none' })],
  ['a code that nobody issued', 'not_found', (w) => w.nobody.mutate('sessions.join', { code: `${w.sessionId}.AAAAAAAAAAAAAAAAAAAA` })],
  [
    'a code for a session that is not there',
    'not_found',
    (w) => w.nobody.mutate('sessions.join', { code: `${absent}.AAAAAAAAAAAAAAAAAAAA` }),
  ],
  ['the log of a session that is not there', 'not_found', (w) => w.auditor.query('audit.verify', { sessionId: absent })],
  // Out of order, replayed
  ['a message after the end', 'session_ended', (w) => w.endedStudent.mutate('chat.send', message(w, { sessionId: w.endedSessionId }))],
  ['a new token after the end', 'session_ended', (w) => w.operator.mutate('sessions.issueToken', { sessionId: w.endedSessionId })],
  ['a link into an ended session', 'session_ended', (w) => w.operator.mutate('sessions.invite', { sessionId: w.endedSessionId })],
  ['interrupting an ended session', 'session_ended', (w) => w.endedStudent.mutate('chat.interrupt', { sessionId: w.endedSessionId })],
  ['interrupting when nothing is said', 'nothing_to_interrupt', (w) => w.student.mutate('chat.interrupt', { sessionId: w.sessionId })],
  ['a link that was used', 'link_used', (w) => w.nobody.mutate('sessions.join', { code: w.usedCode })],
  [
    'a message id with other words',
    'command_reused',
    (w) => w.student.mutate('chat.send', message(w, { clientMessageId: w.knownMessageId, text: 'other words' })),
  ],
  ['a client of another protocol', 'upgrade_required', (w) => w.student.mutate('chat.send', message(w), { 'x-vt-protocol': '99' })],
];

describe('calls that are refused', () => {
  let world: World;
  let head: string;
  const position = async () => {
    const text = await (await fetch(`${world.engine.url}/metrics`)).text();
    return /^tutor_log_position (\d+)$/m.exec(text)?.[1] ?? '';
  };
  beforeAll(async () => {
    world = await makeWorld();
    head = await position();
  });
  afterAll(async () => {
    await world.engine[Symbol.asyncDispose]();
  });

  test.each(calls)('%s is refused as %s', async (_what, code, call) => {
    const outcome = await call(world);
    expect(outcome).toMatchObject({ ok: false, error: { code } });
    if (!outcome.ok) expect(outcome.error.message).not.toMatch(/\n|at .+:\d+|Error:|select |insert /);
  });

  test.each([
    ['a resume point that was never given out', '9999.0', 'resume_expired'],
    ['a resume point of nothing', '0.5', 'resume_expired'],
    ['a resume point that is no resume point', 'abc', 'invalid_input'],
    ['a negative resume point', '-1.0', 'invalid_input'],
    ['a resume point with SQL in it', "1.0' or 1=1", 'invalid_input'],
  ])('%s is refused as typed error (invariant 17)', async (_what, lastEventId, code) => {
    const socket = await openWire(world.engine.url, world.token);
    const id = socket.call('subscription', 'session.events', { sessionId: world.sessionId, lastEventId });
    expect(await socket.answer(id)).toMatchObject({ ok: false, error: { code } });
    socket.socket.close();
  });

  test.each([
    ['without a token', null, 'unauthorized'],
    ['with a key for a token', 'vt_key_x', 'unauthorized'],
  ])('a socket %s is refused by what it asks for', async (_what, token, code) => {
    const socket = await openWire(world.engine.url, token);
    const id = socket.call('subscription', 'session.events', { sessionId: world.sessionId });
    expect(await socket.answer(id)).toMatchObject({ ok: false, error: { code } });
    socket.socket.close();
  });

  test("a socket cannot listen to another student's session (invariant 20)", async () => {
    const socket = await openWire(world.engine.url, world.token);
    const id = socket.call('subscription', 'session.events', { sessionId: world.otherSessionId });
    expect(await socket.answer(id)).toMatchObject({ ok: false, error: { code: 'forbidden' } });
    socket.socket.close();
  });

  test.each(['session.media', 'webrtc.signals'])("%s of another student's session is refused", async (path) => {
    const socket = await openWire(world.engine.url, world.token);
    const id = socket.call('subscription', path, { sessionId: world.otherSessionId });
    expect(await socket.answer(id)).toMatchObject({ ok: false, error: { code: 'forbidden' } });
    socket.socket.close();
  });

  test('speech where voice is switched off is refused, and signals only say so', async () => {
    const socket = await openWire(world.engine.url, world.token);
    const media = socket.call('subscription', 'session.media', { sessionId: world.sessionId });
    expect(await socket.answer(media)).toMatchObject({ ok: false, error: { code: 'media_unavailable' } });
    const signals = socket.call('subscription', 'webrtc.signals', { sessionId: world.sessionId });
    const hello = await socket.until((frame) => frame.id === signals && frame.result?.type === 'data');
    expect(hello.result?.data).toEqual({ type: 'hello', quality: 'text' });
    socket.socket.close();
  });

  test('a frame that is too large closes its socket and no other', async () => {
    const [large, other] = [await openWire(world.engine.url, world.token), await openWire(world.engine.url, world.token)];
    large.call('mutation', 'chat.send', message(world, { text: 'x'.repeat(maxFrameBytes) }));
    expect((await large.closed).code).toBe(1009);
    const id = other.call('subscription', 'session.events', { sessionId: world.sessionId });
    await other.until((frame) => frame.id === id && frame.result?.type === 'data');
    other.socket.close();
  });

  test('a socket has a bounded number of subscriptions', async () => {
    const socket = await openWire(world.engine.url, world.token);
    const ids = Array.from({ length: 21 }, () => socket.call('subscription', 'session.events', { sessionId: world.sessionId }));
    const last = await socket.until((frame) => frame.error !== undefined);
    expect(last.error?.data.tutor.code).toBe('rate_limited');
    expect(ids).toContain(last.id);
    socket.socket.close();
  });

  test('more lessons than there are places are refused, with the limit and when to try again', async () => {
    for (let i = 0; i < 4; i += 1) await world.operator.mutate('sessions.create', { tutorId: 'ada', studentId: `full-${i}` });
    const before = await position();
    const refused = await world.operator.mutate('sessions.create', { tutorId: 'ada', studentId: 'one-more' });
    expect(refused).toMatchObject({ ok: false, error: { code: 'capacity_exceeded', retryable: true, retryAfterMs: expect.any(Number) } });
    if (!refused.ok) expect(refused.error.message).toContain('6');
    expect(await position()).toBe(before);
    head = before;
  });

  test.each(['/ws/user_1?token=x', '/ws/ws/1', '/trpc2'])('the old or wrong WebSocket path %s says where to connect', async (path) => {
    const response = await fetch(`${world.engine.url}${path}`, { headers: { connection: 'upgrade', upgrade: 'websocket' } }).catch(
      () => null,
    );
    const socket = new WebSocket(`${world.engine.url.replace('http', 'ws')}${path}`);
    const failed = await new Promise<boolean>((resolve) => {
      socket.addEventListener('error', () => resolve(true));
      socket.addEventListener('open', () => resolve(false));
    });
    expect(failed).toBe(true);
    await response?.body?.cancel();
  });

  test('a page of another origin may not call', async () => {
    const response = await fetch(`${world.engine.url}/trpc/health`, { headers: { origin: 'https://elsewhere.example' } });
    expect(response.status).toBe(403);
  });

  test('nobody signs in from elsewhere, nor through a tunnel', async () => {
    for (const headers of [{ 'x-forwarded-for': '203.0.113.9' }, { forwarded: 'for=203.0.113.9' }]) {
      expect(await world.nobody.mutate('console.signIn', undefined, headers)).toMatchObject({ ok: false, error: { code: 'forbidden' } });
    }
  });

  test('none of it reached the log, and the engine still serves', async () => {
    expect(await position()).toBe(head);
    const health = await fetch(`${world.engine.url}/health`);
    expect(health.status).toBe(200);
    expect(world.engine.output()).not.toContain('a defect');
  });
});
