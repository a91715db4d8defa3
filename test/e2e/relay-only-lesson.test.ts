import { chromium } from 'playwright-core';
import { expect, test } from 'vitest';
import { startCableEngine } from '../support/cable-engine.ts';
import { holdLessons, type Lesson, type LessonsOrder, quietInItsNetwork } from '../support/lessons-in-page.ts';
import { chromiumAvailable, describeWith } from '../support/loud-skip.ts';
import { type Cable, namespacesAvailable, openCable } from '../support/netns.ts';
import { coturnAvailable, type RelayKind, relayKinds } from '../support/relays.ts';

const apiPort = 9000;
/** Thirty lessons and a browser for them, on a machine that may be busy, ms. */
const timeout = 240_000;
const question = 'What is light?';

interface Setting {
  readonly kind: RelayKind;
  readonly env?: Readonly<Record<string, string>>;
}

/** The whole engine behind the firewall, Chromium before it, and what the lessons between them were. */
async function lessonsThrough(cable: Cable, { kind, env = {} }: Setting, order: Omit<LessonsOrder, 'apiKey'>): Promise<readonly Lesson[]> {
  await using engine = await startCableEngine(cable, { kind, env });
  const browser = await chromium.launch({ executablePath: cable.chromium, args: quietInItsNetwork });
  try {
    const page = await browser.newPage();
    await page.goto(`${engine.url}/health`);
    return await holdLessons(page, { ...order, apiKey: engine.apiKey });
  } finally {
    await browser.close();
  }
}

function expectRelayed(lesson: Lesson | undefined, answerType: 'host' | 'relay' = 'host'): void {
  expect(lesson).toMatchObject({ refused: null, localType: 'relay' });
  expect(lesson?.audioPackets).toBeGreaterThanOrEqual(50);
  expect(lesson?.offered.every((line) => line.includes(' typ relay '))).toBe(true);
  expect(new Set(lesson?.answered.map((line) => line.split(' ').slice(4, 8).join(' '))).size).toBe(1);
  expect(lesson?.answered.every((line) => line.includes(` typ ${answerType}`))).toBe(true);
}

for (const kind of relayKinds) {
  const available = namespacesAvailable && chromiumAvailable && (kind === 'embedded' || coturnAvailable);
  describeWith(available, 'root for network namespaces, nft, coturn and Chromium')(
    `lessons behind a firewall, with the ${kind} relay`,
    () => {
      test('thirty at once pass one UDP port: the tutor answers aloud and has a face', { timeout }, async () => {
        await using cable = openCable({ udp: '10110', turnTcp: null, apiPort });
        const lessons = await lessonsThrough(cable, { kind }, { lessons: 30, faces: 1, question, smuggled: null });
        expect(lessons).toHaveLength(30);
        for (const lesson of lessons) expectRelayed(lesson);
        expect(lessons[0]?.frames).toBeGreaterThanOrEqual(25);
        expect(lessons[0]?.audioEnergy).toBeGreaterThan(0.01);
        expect(cable.counts()).toMatchObject({ otherUdp: 0, otherTcp: 0, turnTcp: 0 });
      });

      test('ports 10110 to 10115 carry five lessons, and the sixth is told that places are taken', { timeout }, async () => {
        await using cable = openCable({ udp: '10110-10115', turnTcp: null, apiPort });
        const env = { WEBRTC_LAYOUT: 'port-range' };
        const lessons = await lessonsThrough(cable, { kind, env }, { lessons: 6, faces: 1, question, smuggled: null });
        for (const lesson of lessons.slice(0, 5)) expectRelayed(lesson);
        expect(lessons[5]?.refused).toMatchObject({ code: 'capacity_exceeded', message: expect.stringContaining('places') });
        expect(cable.counts()).toMatchObject({ otherUdp: 0, otherTcp: 0 });
      });

      test('an engine that relays too answers with a relay candidate', { timeout }, async () => {
        await using cable = openCable({ udp: '10110', turnTcp: null, apiPort });
        const env = { WEBRTC_ENGINE_RELAY: 'true' };
        const lessons = await lessonsThrough(cable, { kind, env }, { lessons: 2, faces: 1, question, smuggled: null });
        for (const lesson of lessons) expectRelayed(lesson, 'relay');
        expect(cable.counts()).toMatchObject({ otherUdp: 0, otherTcp: 0 });
      });
    },
  );
}

describeWith(namespacesAvailable && chromiumAvailable, 'root for network namespaces, nft and Chromium')(
  'a client that offers another way than the relay',
  () => {
    test.each([
      ['host', 'candidate:1 1 udp 2122260223 10.77.0.2 50000 typ host'],
      ['srflx', 'candidate:1 1 udp 1686052607 198.51.100.7 50000 typ srflx raddr 0.0.0.0 rport 0'],
    ])('(%s) is refused by the name of its fault, and no packet goes there', { timeout }, async (type, smuggled) => {
      await using cable = openCable({ udp: '10110', turnTcp: null, apiPort });
      const [lesson] = await lessonsThrough(cable, { kind: 'embedded' }, { lessons: 1, faces: 0, question: null, smuggled });
      expect(lesson?.refused).toMatchObject({ code: 'media_blocked', message: expect.stringContaining(`"${type}"`) });
      expect(lesson?.audioPackets).toBe(0);
      expect(cable.counts()).toMatchObject({ otherUdp: 0, otherTcp: 0 });
    });
  },
);
