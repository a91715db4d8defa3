import { AuditedEvent, ExportItem, StudentId, TenantId } from '@virtual-tutor/schemas';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { asHtml, asJson } from '../../packages/server/src/cli/student-report.ts';
import { dayMs, exported, openPrivacySchool, operator, type PrivacySchool, SetClock } from '../support/privacy-school.ts';
import { type OpenDatabaseStore, openDatabaseStore } from '../support/stores.ts';

const tenants = ['north', 'south'].map((id) => TenantId.parse(id));
const students = ['ana', 'ana.2', 'bo'].map((id) => StudentId.parse(id));
const everyone = tenants.flatMap((tenantId) => students.map((studentId) => ({ tenantId, studentId })));

/** What a student says: hers, and so that it can be found again wherever it turns up. */
const wordsOf = (owner: (typeof everyone)[number], nth: number) => `<b>&secret of ${owner.tenantId}/${owner.studentId} no ${nth}</b> 秘密`;
const lesson = fc.record({
  owner: fc.constantFrom(...everyone),
  turns: fc.integer({ min: 0, max: 4 }),
  left: fc.constantFrom('ended' as const, 'active' as const, 'open' as const),
  voice: fc.boolean(),
});

let open: OpenDatabaseStore;
let school: PrivacySchool;
const clock = new SetClock();
const told = new Map<string, string[]>(everyone.map((owner) => [nameOf(owner), []]));

function nameOf({ tenantId, studentId }: (typeof everyone)[number]): string {
  return `${tenantId}/${studentId}`;
}

beforeAll(async () => {
  open = await openDatabaseStore('PGlite');
  school = await openPrivacySchool({ database: open.database, clock });
  for (const tenantId of tenants) await school.found(tenantId);
  let nth = 0;
  for (const { owner, turns, left, voice } of fc.sample(lesson, { seed: 11, numRuns: 24 })) {
    const said = Array.from({ length: turns }, () => wordsOf(owner, nth++));
    await school.teach(owner.tenantId, { studentId: owner.studentId, said, left, voice });
    told.get(nameOf(owner))?.push(...said);
  }
  await school.privacy.configureRetention(365, operator(tenants[0] ?? TenantId.parse('north')));
});
afterAll(async () => {
  await school[Symbol.asyncDispose]();
  await open[Symbol.asyncDispose]();
});

test('a student is given all that she said and was told, in any pages, and nothing of anybody else', async () => {
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...everyone), fc.integer({ min: 1, max: 60 }), async (owner, limit) => {
      const items = ExportItem.array().parse(await exported(school, owner.tenantId, { studentId: owner.studentId, limit }));
      const text = JSON.stringify(items);
      for (const [name, said] of told) {
        for (const words of said) expect(text.includes(JSON.stringify(words).slice(1, -1))).toBe(name === nameOf(owner));
      }
      const events = items.flatMap((item) => (item.type === 'event' ? [item.event] : []));
      expect(new Set(events.map(({ id }) => id)).size).toBe(events.length);
      expect(await everyEventOf(owner)).toEqual(
        events
          .filter(({ stream }) => stream.startsWith('session-'))
          .map(({ id }) => id)
          .toSorted(),
      );
      expect(events.every(({ tenantId }) => tenantId === owner.tenantId)).toBe(true);
    }),
    { numRuns: 30, seed: 3 },
  );
});

/** Found by reading the whole log. */
async function everyEventOf({ tenantId, studentId }: (typeof everyone)[number]): Promise<readonly string[]> {
  const all = [];
  for (let after = 0; ; ) {
    const page = await school.store.readAll({ after, limit: 1000 });
    all.push(...page);
    if (page.length < 1000) break;
    after = page.at(-1)?.position ?? after;
  }
  const hers = new Set(
    all
      .filter(({ type, payload, meta }) => type === 'SessionCreated' && payload['studentId'] === studentId && meta.tenantId === tenantId)
      .map(({ stream }) => stream),
  );
  return all.flatMap(({ id, stream }) => (hers.has(stream) ? [id] : [])).toSorted();
}

test('she reads who taught her, who configured that and the rule, and who was given her data before', async () => {
  const tenantId = TenantId.parse('north');
  const studentId = StudentId.parse('ana');
  const before = await exported(school, tenantId, { studentId });
  const items = await exported(school, tenantId, { studentId });
  expect(items[0]).toMatchObject({ type: 'student', studentId, forgotten: false, wordsDays: 365 });
  const ofSchool = items.flatMap((item) => (item.type === 'event' && item.event.stream.startsWith('tenant-') ? [item.event] : []));
  expect(ofSchool.map(({ type }) => type)).toContain('RetentionConfigured');
  const times = (all: readonly ExportItem[]) => all.filter((item) => item.type === 'event' && item.event.type === 'StudentExported').length;
  expect(times(items)).toBe(times(before) + 1);
  const [first] = items.filter((item) => item.type === 'session');
  expect(first).toMatchObject({ tutor: { id: 'ada', name: 'Ada', configuredBy: { kind: 'teacher', id: 'turing' } } });
  // A page sent again is the same page, and no second export.
  const context = { ...operator(tenantId), commandId: school.commandId('once') };
  const again = [
    await school.studentExport.page({ studentId, limit: 5 }, context),
    await school.studentExport.page({ studentId, limit: 5 }, context),
  ];
  expect(again[1]).toEqual(again[0]);
});

test('as a page and as data, it holds her words and runs nothing', async () => {
  const owner = { tenantId: TenantId.parse('south'), studentId: StudentId.parse('bo') };
  const items = await exported(school, owner.tenantId, { studentId: owner.studentId });
  async function* pages() {
    yield items.slice(0, 3);
    yield items.slice(3);
  }
  const json = (await Array.fromAsync(asJson(pages()))).join('');
  expect(ExportItem.array().parse(JSON.parse(json))).toEqual(ExportItem.array().parse(items));
  const html = (await Array.fromAsync(asHtml(pages()))).join('');
  const said = told.get(nameOf(owner)) ?? [];
  expect(said.length).toBeGreaterThan(0);
  for (const words of said) expect(html).toContain(words.replace(/[&<>]/g, (character) => `&#${character.charCodeAt(0)};`));
  expect(html).not.toContain('<b>');
  expect(html).toContain('您说 · you said');
});

test('what she is given of words that are gone is that they are gone', async () => {
  const tenantId = TenantId.parse('south');
  const studentId = StudentId.parse('ana.2');
  await school.privacy.forget(studentId, operator(tenantId));
  const items = await exported(school, tenantId, { studentId });
  expect(items[0]).toMatchObject({ forgotten: true });
  const events = items.flatMap((item) => (item.type === 'event' ? [AuditedEvent.parse(item.event)] : []));
  expect(events.filter(({ personal }) => personal !== undefined).every(({ personal }) => personal === null)).toBe(true);
  expect(events.map(({ type }) => type)).toContain('StudentForgotten');
  expect(JSON.stringify(items)).not.toContain('secret');
  clock.nowMs += dayMs;
});
