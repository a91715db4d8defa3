import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Random } from './seeded.ts';

/*
 * What browsers offer: Chromium's as it wrote it, Firefox's and Safari's in their shape. Each asks to send its
 * microphone and to get video, and names one candidate on the relay.
 */

export const browsers = ['chromium', 'firefox', 'safari'] as const;
export type BrowserName = (typeof browsers)[number];

/** The relay that these offers name. */
export const offersRelay = { relayAddresses: ['127.0.0.1'], relayPorts: [21_000, 21_099] } as const;

export function offerOf(browser: BrowserName): string {
  const text = readFileSync(join(import.meta.dirname, 'offers', `${browser}.sdp`), 'utf8');
  return text.replaceAll('\n', '\r\n');
}

const strayTexts = [
  '',
  '\0',
  '\r\n',
  'é',
  '-1',
  '4294967296',
  '99999999999999999999',
  'a=',
  'm=',
  '::1',
  '%n',
  '__proto__',
  ' '.repeat(300),
];

/** The same offer with one to four faults in it. */
export function mutated(offer: string, random: Random): string {
  let lines = offer.split('\r\n');
  const below = (limit: number): number => Math.floor(random() * limit);
  const faults = 1 + below(4);
  for (let fault = 0; fault < faults; fault += 1) {
    const at = below(lines.length);
    const line = lines[at] ?? '';
    const cut = below(line.length + 1);
    const stray = strayTexts[below(strayTexts.length)] ?? '';
    const kinds = [
      () => (lines.length > 1 ? lines.toSpliced(at, 1) : lines),
      () => lines.toSpliced(at, 0, line),
      () => lines.toSpliced(at, 0, ...Array.from({ length: below(40) }, () => line)).slice(0, 2_000),
      () => lines.toSpliced(at, 1).toSpliced(below(lines.length), 0, line),
      () => lines.slice(0, at + 1),
      () => lines.with(at, line.slice(0, cut)),
      () => lines.with(at, `${line.slice(0, cut)}${String.fromCharCode(below(256))}${line.slice(cut + 1)}`),
      () => lines.with(at, `${line.slice(0, cut)}${stray}${line.slice(cut)}`),
      () =>
        lines.with(
          at,
          line.replace(/\d+/, () => stray),
        ),
      () =>
        lines.with(
          at,
          line.replace(/[\w/+-]+$/, () => stray),
        ),
      () => lines.map((each) => (random() < 0.02 ? each.toUpperCase() : each)),
    ];
    lines = kinds[below(kinds.length)]?.() ?? lines;
  }
  return lines.join('\r\n');
}
