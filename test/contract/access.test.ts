import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { type RunningEngine, startEngine } from '../support/engine.ts';
import { often } from '../support/long.ts';
import { procedures } from '../support/procedures.ts';
import { openWire, wire } from '../support/wire.ts';

const roles = ['operator', 'teacher', 'auditor'] as const;
/** Enough of an input to get past its shape where the policy looks at it; policies that do not are asked with nothing. */
const input = { sessionId: '019b0000-0000-7000-8000-000000000000' };

const Created = z.object({ data: z.object({ session: z.object({ id: z.string() }), grant: z.object({ token: z.string() }) }) });

describe('every procedure, for everybody who may not call it', () => {
  let engine: RunningEngine;
  const keys = new Map<string, string>();
  let studentToken = '';
  let ownSession = '';
  let otherSession = '';
  beforeAll(async () => {
    engine = await startEngine();
    const operator = wire(engine.url, engine.apiKey);
    for (const role of roles) {
      const made = await operator.mutate('keys.create', { role });
      keys.set(role, z.object({ ok: z.literal(true), data: z.object({ key: z.string() }) }).parse(made).data.key);
    }
    const create = async (studentId: string) => Created.parse(await operator.mutate('sessions.create', { tutorId: 'ada', studentId })).data;
    const own = await create('s');
    studentToken = own.grant.token;
    ownSession = own.session.id;
    otherSession = (await create('other')).session.id;
  });
  afterAll(async () => {
    await engine[Symbol.asyncDispose]();
  });

  async function codeOf(credential: string | null, { path, type }: { readonly path: string; readonly type: string }): Promise<string> {
    if (type === 'subscription') {
      const socket = await openWire(engine.url, credential);
      const id = socket.call('subscription', path, input);
      const frame = await socket.until((one) => one.id === id);
      socket.socket.close();
      return frame.error?.data.tutor.code ?? 'accepted';
    }
    const caller = wire(engine.url, credential);
    const outcome = await (type === 'query' ? caller.query(path, input) : caller.mutate(path, input));
    return outcome.ok ? 'accepted' : outcome.error.code;
  }

  test.each(procedures)('$path', async (procedure) => {
    const { policy } = procedure;
    if (policy === null || policy.plane === 'public' || policy.plane === 'loopback') return;
    expect(await codeOf(null, procedure)).toBe('unauthorized');
    expect(await codeOf('vt_key_wrong', procedure)).toBe('unauthorized');
    const allowed: readonly string[] = 'roles' in policy ? policy.roles : [];
    for (const role of roles) {
      const code = await codeOf(keys.get(role) ?? '', procedure);
      if (allowed.includes(role)) expect(['forbidden', 'unauthorized']).not.toContain(code);
      else expect(code).toBe('forbidden');
    }
    // A student: not on the control plane at all, and not in a session that is not hers.
    expect(await codeOf(studentToken, procedure)).toBe('forbidden');
  });

  test('whatever session a student asks for, its feed stays closed unless it is hers (invariant 20)', async () => {
    const hex = fc.constantFrom(...'0123456789abcdef');
    const almost = fc
      .record({ at: fc.nat({ max: ownSession.length - 1 }), digit: hex })
      .map(({ at, digit }) => ownSession.slice(0, at) + digit + ownSession.slice(at + 1));
    const asked = fc.oneof(fc.uuid({ version: 7 }), almost, fc.constantFrom(otherSession, ownSession.toUpperCase(), `${ownSession} `));
    for (const sessionId of fc.sample(asked, { numRuns: often({ few: 40, long: 2_000 }), seed: 20 })) {
      if (sessionId === ownSession) continue;
      const socket = await openWire(engine.url, studentToken);
      const answer = await socket.answer(socket.call('subscription', 'session.events', { sessionId }));
      if (answer.ok) expect.fail(`the feed of ${sessionId} was opened`);
      expect(['forbidden', 'invalid_input']).toContain(answer.error.code);
      expect(socket.frames.filter(({ result }) => result?.data !== undefined)).toEqual([]);
      socket.socket.close();
    }
  });
});
