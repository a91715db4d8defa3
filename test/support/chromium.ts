import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { z } from 'zod';
import { chromiumPath } from './loud-skip.ts';

const root = join(import.meta.dirname, '..', '..');
const screenshots = join(root, 'temp', 'screenshots');
const axe = readFileSync(join(root, 'node_modules', 'axe-core', 'axe.min.js'), 'utf8');

/** Without a sandbox (tests may run as root) and without calls home. */
const quietArgs = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-dev-shm-usage',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-default-apps',
  '--disable-sync',
  '--no-first-run',
  '--metrics-recording-only',
  '--mute-audio',
  '--host-resolver-rules=MAP school.test 127.0.0.1',
];

/** The same address as another machine names it: nobody is signed in there, and plain http is no secure context. */
export function fromElsewhere(url: string): string {
  return url.replace('//127.0.0.1:', '//school.test:');
}

export async function launchChromium(extraArgs: readonly string[] = []): Promise<Browser> {
  if (chromiumPath === null) throw new Error('there is no Chromium here');
  return chromium.launch({ executablePath: chromiumPath, args: [...quietArgs, ...extraArgs] });
}

/** The page that the engine serves, as `npm start` builds it. */
export function buildPage(): void {
  const script = `import(${JSON.stringify(join(root, 'scripts', 'build-page.mjs'))}).then((build) => build.ensurePage())`;
  const built = spawnSync(process.execPath, ['-e', script], { cwd: root, encoding: 'utf8' });
  if (built.status !== 0) throw new Error(`the page was not built:\n${built.stdout}${built.stderr}`);
}

/** One person with a browser of their own. */
export interface Visitor extends AsyncDisposable {
  readonly page: Page;
  readonly context: BrowserContext;
  /** Errors of the page, refusals of its content policy, and requests that left the engine. */
  readonly troubles: readonly string[];
}

export async function visit(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<Visitor> {
  const context = await browser.newContext({ locale: 'en-GB', timezoneId: 'UTC', viewport: { width: 1280, height: 800 }, ...options });
  context.setDefaultTimeout(15_000);
  const page = await context.newPage();
  const troubles: string[] = [];
  const { host } = new URL(url);
  page.on('pageerror', (error) => troubles.push(`error: ${error.message}`));
  page.on('console', (message) => {
    // What the network refuses is told to the person by the page; Chromium logs it as well.
    if (message.type() === 'error' && !/^Failed to load resource|^WebSocket connection to/.test(message.text())) {
      troubles.push(`console: ${message.text()}`);
    }
  });
  page.on('request', (request) => {
    if (new URL(request.url()).host !== host && /^(http|ws)/.test(request.url())) troubles.push(`left the engine: ${request.url()}`);
  });
  await page.goto(url);
  return { page, context, troubles, [Symbol.asyncDispose]: () => context.close() };
}

const AxeResults = z.object({
  violations: z.array(
    z.object({
      id: z.string(),
      impact: z.string().nullish(),
      nodes: z.array(z.object({ html: z.string(), failureSummary: z.string().nullish() })),
    }),
  ),
});

/** Colours are measured at rest: once every animation that ends has ended. */
const untilAtRest = `Promise.all(
  document.getAnimations()
    .filter(({ effect }) => Number.isFinite(effect.getComputedTiming().endTime))
    .map(({ finished }) => finished.catch(() => undefined)),
)`;

/** What axe finds against WCAG 2.2 AA and good practice, one line a finding. */
export async function accessibilityFindings(page: Page): Promise<readonly string[]> {
  await page.evaluate(untilAtRest);
  await page.evaluate(axe);
  const found: unknown = await page.evaluate(
    `axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'], resultTypes: ['violations'] })`,
  );
  return AxeResults.parse(found).violations.flatMap(({ id, impact, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${impact ?? 'minor'} ${id}: ${html.slice(0, 160)} ${failureSummary ?? ''}`),
  );
}

export async function screenshot(page: Page, name: string): Promise<void> {
  mkdirSync(screenshots, { recursive: true });
  await page.screenshot({ path: join(screenshots, `${name}.png`) });
}
