import { execFile } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { TutorClient } from '@virtual-tutor/sdk';
import { connectSession } from '@virtual-tutor/sdk/browser';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { verifyEvidence } from '../../packages/server/evidence/verify-evidence.mjs';
import { type RunningEngine, startEngine } from '../support/engine.ts';
import { consoleClient } from '../support/lesson.ts';

const run = promisify(execFile);
const script = new URL('../../packages/server/evidence/verify-evidence.mjs', import.meta.url).pathname;
const secret = 'My grandmother calls me Peanut.';

const Line = z.record(z.string(), z.json());
type Line = z.infer<typeof Line>;

let engine: RunningEngine;
let client: TutorClient;
let sessionId: string;
let pack: string;
let redacted: string;
let fingerprint: string;

beforeAll(async () => {
  engine = await startEngine({ SEAL_EVENTS: '5', SEAL_MINUTES: '0.01' });
  client = await consoleClient(engine);
  sessionId = await lesson('student-e');
  pack = await client.audit.export(sessionId);
  redacted = await client.audit.export(sessionId, { redacted: true });
  const verdict = await client.audit.verifyLog();
  fingerprint = verdict.verdict === 'intact' ? (verdict.fingerprint ?? '') : '';
});
afterAll(async () => {
  await engine[Symbol.asyncDispose]();
});

async function lesson(studentId: string): Promise<string> {
  const { session, grant } = await client.sessions.create({ tutorId: 'ada', studentId });
  await using held = await connectSession(grant);
  for (const message of [secret, 'Why is the sky <b>blue</b> & water blue?']) for await (const _ of held.chat.send(message)) void _;
  await client.sessions.end(session.id);
  await vi.waitUntil(async () => (await client.audit.coverage(session.id)).unsealedFrom === null, { timeout: 20_000 });
  return session.id;
}

const linesOf = (text: string): Line[] =>
  text
    .trim()
    .split('\n')
    .map((line) => Line.parse(JSON.parse(line)));
const textOf = (lines: readonly Line[]) => lines.map((line) => `${JSON.stringify(line)}\n`).join('');
const object = (value: unknown) => Line.parse(value);

describe('an evidence pack', () => {
  test('holds by a program that shares nothing with the engine, in an empty folder, and tells the lesson in both languages', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tutor-evidence-'));
    try {
      copyFileSync(script, join(folder, 'verify-evidence.mjs'));
      writeFileSync(join(folder, 'pack'), pack);
      const args = ['verify-evidence.mjs', 'pack', '--fingerprint', fingerprint, '--report', 'report.html', '--json'];
      const { stdout } = await run(process.execPath, args, { cwd: folder });
      const verdict = object(JSON.parse(stdout));
      expect(verdict).toMatchObject({ verdict: 'holds', trusted: true, sessionId, redacted: false, fingerprint });
      expect(verdict['sealed']).toBe(verdict['events']);
      await expect(run(process.execPath, ['verify-evidence.mjs', 'nothing'], { cwd: folder })).rejects.toMatchObject({ code: 2 });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
    const { report } = verifyEvidence(pack, fingerprint);
    expect(report).toContain(secret);
    expect(report).toContain('Why is the sky &lt;b&gt;blue&lt;/b&gt; &amp; water blue?');
    for (const both of ['学生 · Student', '导师 · Tutor', '已显示 · shown', '导师设置 · Instructions']) expect(report).toContain(both);
    expect(report).not.toMatch(/<script|https?:\/\//);
  });

  test('says what every event looks like, in JSON Schema', () => {
    const schemas = linesOf(pack).flatMap(({ kind, schema }) => (kind === 'schema' ? [object(schema)['type']] : []));
    expect(schemas).toEqual(
      expect.arrayContaining(['SessionCreated', 'MessageReceived', 'SentenceGenerated', 'TutorConfigured', 'DocumentAdded']),
    );
  });

  test('holds without a word in it when it is redacted', () => {
    expect(verifyEvidence(redacted, fingerprint)).toMatchObject({ sessionId, redacted: true });
    expect(redacted).not.toContain('Peanut');
    expect(redacted).not.toContain('<b>blue');
    const events = linesOf(redacted).filter(({ kind }) => kind === 'event');
    for (const { event } of events) expect(object(event)).toMatchObject({ sealed: null, key: null });
  });

  test('of a student who was forgotten holds, with gaps where her words were', async () => {
    const forgotten = await lesson('student-gone');
    await client.privacy.forgetStudent('student-gone');
    const text = await client.audit.export(forgotten);
    expect(verifyEvidence(text, fingerprint).report).toContain('（已删除 · erased）');
    expect(text).not.toContain('Peanut');
    expect(text).not.toContain('"key":"');
  });

  test('of nobody: a session that is not there is refused', async () => {
    await expect(client.audit.export('01900000-0000-7000-8000-000000000000')).rejects.toMatchObject({ code: 'not_found' });
  });
});

/** Lines of one kind, each changed; `among` picks. */
function changed(kind: string, change: (value: Line) => unknown, among: (value: Line) => boolean = () => true): string {
  const lines = linesOf(pack);
  const target = lines.find((line) => line['kind'] === kind && among(object(line[kind])));
  if (target === undefined) throw new Error(`there is no such ${kind}`);
  return textOf(lines.map((line) => (line === target ? object({ ...line, [kind]: change(object(line[kind])) }) : line)));
}

function without(kind: string, nth: number): string {
  const lines = linesOf(pack);
  const gone = lines.filter((line) => line['kind'] === kind).at(nth);
  const rest = lines.filter((line) => line !== gone);
  return textOf(rest.map((line) => (line['kind'] === 'end' ? { ...line, lines: rest.length } : line)));
}

function swapped(): string {
  const lines = linesOf(pack);
  const at = lines.findIndex((line) => line['kind'] === 'event') + 3;
  return textOf([...lines.slice(0, at), ...lines.slice(at, at + 2).reverse(), ...lines.slice(at + 2)]);
}

const ofType = (type: string) => (event: Line) => event['type'] === type;
const flipped = (text: unknown) => (typeof text === 'string' ? `${text.startsWith('0') ? '1' : '0'}${text.slice(1)}` : text);
const otherKey = Buffer.alloc(32, 7).toString('base64');

const manipulations: readonly (readonly [string, () => string, RegExp])[] = [
  [
    'a word of a payload',
    () => changed('event', (e) => ({ ...e, payload: { ...object(e['payload']), index: 99 } }), ofType('SentenceGenerated')),
    /content does not match/,
  ],
  [
    'an actor',
    () => changed('event', (e) => ({ ...e, meta: { ...object(e['meta']), actor: { kind: 'teacher', id: 'eve' } } })),
    /content does not match/,
  ],
  [
    'a time',
    () => changed('event', (e) => ({ ...e, meta: { ...object(e['meta']), occurredAt: '2020-01-01T00:00:00.000Z' } })),
    /content does not match/,
  ],
  ['a type', () => changed('event', (e) => ({ ...e, type: 'SentenceHeard' }), ofType('SentenceGenerated')), /content does not match/],
  ['a ciphertext', () => changed('event', (e) => ({ ...e, sealed: otherKey }), ofType('MessageReceived')), /sealed words are not those/],
  ['a key', () => changed('event', (e) => ({ ...e, key: otherKey }), ofType('MessageReceived')), /key is not the key/],
  [
    'words withheld in silence',
    () => changed('event', (e) => ({ ...e, key: null, sealed: null }), ofType('MessageReceived')),
    /does not say what the events say/,
  ],
  ['a hash', () => changed('event', (e) => ({ ...e, hash: flipped(e['hash']) })), /does not follow from the event before/],
  ['a position', () => changed('event', (e) => ({ ...e, position: Number(e['position']) + 1 })), /not (the event )?under seal/],
  ['an event left out', () => without('event', 4), /is missing before it/],
  ['the first event left out', () => without('event', 0), /is missing before it/],
  ['two events exchanged', swapped, /is missing before it/],
  ['a proof', () => changed('event', (e) => ({ ...e, proof: { ...object(e['proof']), path: [] } })), /not the event under seal/],
  [
    'a root in a seal',
    () =>
      changed(
        'seal',
        (s) => ({ ...s, merkleRoot: flipped(s['merkleRoot']) }),
        (s) => s['kind'] === 'events',
      ),
    /altered or forged/,
  ],
  ['a seal left out', () => without('seal', 1), /is missing: seal/],
  [
    "another log's first seal",
    () => changed('seal', (s) => ({ ...s, logId: '00000000-0000-4000-8000-000000000000' })),
    /altered or forged/,
  ],
  ['a passage', () => changed('passage', (p) => ({ ...p, text: `${p['text']}!` })), /not the one that the tutor was given/],
  ["a passage's title", () => changed('passage', (p) => ({ ...p, title: 'Chemistry' })), /title is not the one/],
  [
    'a word of the report',
    () =>
      textOf(
        linesOf(pack).map((line) =>
          line['kind'] === 'report' ? { ...line, report: String(line['report']).replace('Peanut', 'Walnut') } : line,
        ),
      ),
    /does not say what the events say/,
  ],
  ['the last line cut off', () => textOf(linesOf(pack).slice(0, -1)), /its end is missing/],
  ['half a line', () => pack.slice(0, Math.floor(pack.length / 2)), /not JSON/],
];

describe('a manipulated pack does not hold, and says where', () => {
  test.each(manipulations)('%s', (_, manipulate, expected) => {
    expect(() => verifyEvidence(manipulate(), fingerprint)).toThrow(expected);
  });

  test('seals of a log that is not the one you know', () => {
    expect(() => verifyEvidence(pack, 'f'.repeat(64))).toThrow('seals of another log');
  });

  test('any value of any line but the schemas, changed at random', () => {
    const lines = linesOf(pack);
    const concerned = [...lines.keys()].filter((index) => lines[index]?.['kind'] !== 'schema');
    fc.assert(
      fc.property(fc.constantFrom(...concerned), fc.nat(), (index, nth) => {
        const line = lines[index];
        if (line === undefined) return;
        const places = leavesOf(line).filter((place) => place.join('.') !== 'kind');
        const place = places[nth % places.length];
        if (place === undefined) return;
        const forged = textOf(lines.map((one) => (one === line ? object(withAnother(one, place)) : one)));
        expect(() => verifyEvidence(forged, fingerprint)).toThrow();
      }),
      { numRuns: 150 },
    );
  });
});

type Json = z.infer<ReturnType<typeof z.json>>;

function leavesOf(value: Json, path: readonly string[] = []): readonly (readonly string[])[] {
  if (value === null || typeof value !== 'object') return [path];
  return Object.entries(value).flatMap(([key, part]) => leavesOf(part, [...path, key]));
}

function withAnother(value: Json, [key, ...rest]: readonly string[]): Json {
  if (key === undefined) return typeof value === 'number' ? value + 1 : typeof value === 'boolean' ? !value : `${value ?? ''}x`;
  if (Array.isArray(value)) return value.map((part, index) => (String(index) === key ? withAnother(part, rest) : part));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, name === key ? withAnother(part, rest) : part]));
}
