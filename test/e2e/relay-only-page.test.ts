import { chromium, type Page } from 'playwright-core';
import { beforeAll, expect, test } from 'vitest';
import { startCableEngine } from '../support/cable-engine.ts';
import { buildPage } from '../support/chromium.ts';
import { english, LessonPage } from '../support/lesson-page.ts';
import { quietInItsNetwork } from '../support/lessons-in-page.ts';
import { chromiumAvailable, describeWith } from '../support/loud-skip.ts';
import { namespacesAvailable, openCable } from '../support/netns.ts';
import { coturnAvailable, relayKinds } from '../support/relays.ts';

const apiPort = 9000;
/** A machine that is busy takes its time to start an engine and a browser, ms. */
const timeout = 240_000;

/** The picture has been played for two seconds. */
async function isMoving(page: Page): Promise<void> {
  await expect
    .poll(() => page.evaluate("document.querySelector('video').videoWidth > 0 && document.querySelector('video').currentTime > 2"), {
      timeout: 60_000,
    })
    .toBe(true);
}

beforeAll(() => buildPage());

for (const kind of relayKinds) {
  const available = namespacesAvailable && chromiumAvailable && (kind === 'embedded' || coturnAvailable);
  describeWith(available, 'root for network namespaces, nft, coturn and Chromium')(
    `a student's page behind a firewall, with the ${kind} relay`,
    () => {
      test('shows the tutor moving and answering, and nothing but the relay is named on the wire', { timeout }, async () => {
        await using cable = openCable({ udp: '10110', turnTcp: null, apiPort });
        await using engine = await startCableEngine(cable, { kind, env: {} });
        const browser = await chromium.launch({ executablePath: cable.chromium, args: quietInItsNetwork });
        try {
          const page = await browser.newPage();
          page.setDefaultTimeout(60_000);
          const onTheWire: string[] = [];
          page.on('websocket', (socket) => {
            socket.on('framesent', ({ payload }) => onTheWire.push(String(payload)));
            socket.on('framereceived', ({ payload }) => onTheWire.push(String(payload)));
          });
          await page.goto(engine.url);
          await page.getByLabel(english('apiKey')).fill(engine.apiKey);
          await page.getByRole('button', { name: english('signIn'), exact: true }).click();
          const lesson = new LessonPage(page);
          await lesson.start();
          const face = page.locator('video');
          await face.waitFor({ state: 'visible' });
          await isMoving(page);
          await lesson.ask('What is light?');
          expect(await lesson.finished()).not.toBe('');

          const candidates = onTheWire.join('\n').match(/candidate:\S+ \d+ udp .*?typ \w+/gi) ?? [];
          expect(candidates.length).toBeGreaterThan(1);
          const addresses = new Set(candidates.map((line) => `${line.split(' ')[4]} ${line.split(' ').at(-1)}`));
          // The browser's relay candidates, and the one address that the relay forwards to.
          const relay = kind === 'coturn' ? cable.engine.address : '127.0.0.1';
          expect([...addresses].toSorted()).toEqual([`${relay} host`, `${relay} relay`]);
          expect(cable.counts()).toMatchObject({ otherUdp: 0, turnTcp: 0 });
        } finally {
          await browser.close();
        }
      });
    },
  );
}
