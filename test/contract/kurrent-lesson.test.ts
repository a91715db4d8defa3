import { connectSession } from '@virtual-tutor/sdk/browser';
import { expect, test } from 'vitest';
import { startEngine } from '../support/engine.ts';
import { KurrentStandIn } from '../support/kurrent-stand-in.ts';
import { consoleClient } from '../support/lesson.ts';

test('a lesson whose log is KurrentDB goes on after kill -9, is verified, and its engine says where the log is', async () => {
  await using standIn = process.env['KURRENTDB_URL'] === undefined ? await KurrentStandIn.start() : null;
  const url = standIn?.url ?? process.env['KURRENTDB_URL'] ?? '';
  await using engine = await startEngine({ EVENT_STORE: 'kurrentdb', KURRENTDB_URL: url });
  const client = await consoleClient(engine);
  const { session, grant } = await client.sessions.create({ tutorId: 'ada', studentId: 'student-k' });
  await using lesson = await connectSession(grant);
  const say = async (message: string) => {
    let text = '';
    for await (const event of lesson.chat.send(message)) if (event.type === 'text') text += event.delta;
    return text;
  };
  expect((await say('What is a program?')).length).toBeGreaterThan(10);
  await engine.kill();
  await engine.restart();
  expect((await say('And what is a loop?')).length).toBeGreaterThan(10);
  expect(lesson.view.turns.map(({ status }) => status)).toEqual(['completed', 'completed']);

  expect(await client.audit.verify(session.id)).toMatchObject({ verdict: 'intact' });
  const { dependencies } = await client.health();
  expect(dependencies.find(({ name }) => name === 'event log')).toMatchObject({ runsOn: 'KurrentDB', status: 'ok' });
  expect(dependencies.find(({ name }) => name === 'projections')).toMatchObject({ runsOn: 'PGlite (embedded)' });
  if (standIn !== null) expect(standIn.log.stream(`session-${session.id}`).length).toBeGreaterThan(5);
});
