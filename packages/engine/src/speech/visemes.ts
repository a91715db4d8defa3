import type { TimedViseme, Viseme } from '../media/ports.ts';
import type { TimeRange } from './word-times.ts';

/*
 * Phones to mouth shapes: what flite calls them (ARPAbet), and what espeak-ng calls them (IPA of its
 * own spelling) in English and in Mandarin. A diphthong is two shapes.
 */

export interface TimedPhone extends TimeRange {
  readonly phone: string;
}

/** What a phone shows: shapes one after the other; `next`: those of the vowel that follows. */
type Shapes = readonly Viseme[] | 'next';

/** Shorter than this no shape is seen at 25 frames a second, ms. */
export const shortestVisemeMs = 60;
/** What a shape is left with when closed lips need their time, ms. */
const leastMs = 20;
/** Of a diphthong that its first half takes. */
const firstHalf = 0.55;

function table(rows: Readonly<Record<string, Shapes>>): ReadonlyMap<string, Shapes> {
  return new Map(Object.entries(rows).flatMap(([phones, shapes]) => phones.split(' ').map((phone) => [phone, shapes] as const)));
}

export const arpabet = table({
  'p b m': ['PP'],
  'f v': ['FF'],
  'th dh': ['TH'],
  't d dx': ['DD'],
  'k g': ['kk'],
  'ch jh sh zh': ['CH'],
  's z': ['SS'],
  'n ng l el en em': ['nn'],
  r: ['RR'],
  'aa ae ah ax': ['aa'],
  'eh er axr': ['E'],
  'ih iy y ix': ['I'],
  ao: ['O'],
  'uh uw w': ['U'],
  ay: ['aa', 'I'],
  aw: ['aa', 'U'],
  ey: ['E', 'I'],
  ow: ['O', 'U'],
  oy: ['O', 'I'],
  'hh hv': 'next',
  pau: ['sil'],
});

export const englishIpa = table({
  'p b m m̩': ['PP'],
  'f v': ['FF'],
  'θ ð': ['TH'],
  't d ɾ': ['DD'],
  'k ɡ g x ʔ': ['kk'],
  'tʃ dʒ ʃ ʒ': ['CH'],
  's z ɬ': ['SS'],
  'n n̩ ŋ l l̩ əl': ['nn'],
  'ɹ r': ['RR'],
  'ɑː ɑːɹ ɑ ʌ ɐ æ ə a': ['aa'],
  'ɛ ɛɹ ɜː ɚ e eə': ['E'],
  eɪ: ['E', 'I'],
  'ɪ iː i ᵻ j iə ɪɹ': ['I'],
  'ɔː ɔ ɔːɹ oːɹ oː ɒ o': ['O'],
  'oʊ əʊ': ['O', 'U'],
  'uː ʊ ʊɹ w u': ['U'],
  'aɪ aɪə aɪɚ': ['aa', 'I'],
  aʊ: ['aa', 'U'],
  ɔɪ: ['O', 'I'],
  'h ç': 'next',
});

export const mandarinIpa = table({
  'p ph m': ['PP'],
  f: ['FF'],
  't th': ['DD'],
  'n ŋ l': ['nn'],
  'k kh χ x': ['kk'],
  'tɕ tɕh ɕ ts. ts.h s.': ['CH'],
  'ts tsh s': ['SS'],
  'ʐ z. ər r': ['RR'],
  'a ɑ': ['aa'],
  'ai aɪ': ['aa', 'I'],
  'ɑu au aʊ': ['aa', 'U'],
  'ia iɑ': ['I', 'aa'],
  'ua uɑ': ['U', 'aa'],
  uai: ['U', 'aa', 'I'],
  iɑu: ['I', 'aa', 'U'],
  'ə ɛ e': ['E'],
  'ei eɪ': ['E', 'I'],
  'iɛ ie': ['I', 'E'],
  'yɛ yæ ye': ['U', 'E'],
  'i i̪ i. j in ɪ': ['I'],
  'o o-': ['O'],
  uo: ['U', 'O'],
  'ou oʊ': ['O', 'U'],
  iou: ['I', 'O', 'U'],
  'onɡ ong': ['O', 'nn'],
  iong: ['I', 'O', 'nn'],
  'u y w uː': ['U'],
  'uei uəi': ['U', 'E', 'I'],
  uə: ['U', 'E'],
  yə: ['U', 'E'],
  h: 'next',
});

const vowelShapes: ReadonlySet<Viseme> = new Set(['aa', 'E', 'I', 'O', 'U']);

/** The mouth to flite's phones, gapless where they are. */
export function arpabetVisemes(phones: readonly TimedPhone[]): readonly TimedViseme[] {
  return settle(shapesOf(phones.map((phone) => ({ ...phone, shapes: arpabet.get(phone.phone) ?? [] }))));
}

/** The mouth to espeak-ng's phones; those in brackets, `(en)`, say which language follows. */
export function ipaVisemes(phones: readonly TimedPhone[], language: 'en' | 'zh'): readonly TimedViseme[] {
  let spoken = language === 'zh' ? mandarinIpa : englishIpa;
  const shaped: ShapedPhone[] = [];
  for (const timed of phones) {
    const change = /^\((?<to>.*)\)$/u.exec(timed.phone)?.groups?.['to'];
    if (change !== undefined) {
      spoken = /^(?:cmn|yue|zh)/u.test(change) ? mandarinIpa : englishIpa;
      // The time it takes belongs to the sound before.
      const last = shaped.at(-1);
      if (last !== undefined) shaped[shaped.length - 1] = { ...last, endMs: timed.endMs };
    } else shaped.push({ ...timed, shapes: ipaShapes(timed.phone, spoken) });
  }
  return settle(shapesOf(shaped));
}

/** Shapes of a phone with stress marks and tones; one that no table has is read letter by letter. */
export function ipaShapes(phone: string, spoken: ReadonlyMap<string, Shapes>): Shapes {
  const bare = phone.replaceAll(/[ˈˌ\d˥˦˧˨˩]/gu, '');
  if (bare === '') return ['sil'];
  const known = spoken.get(bare) ?? englishIpa.get(bare) ?? mandarinIpa.get(bare);
  if (known !== undefined) return known;
  for (const letter of bare) {
    const first = spoken.get(letter) ?? englishIpa.get(letter) ?? mandarinIpa.get(letter);
    if (first !== undefined) return first;
  }
  return [];
}

interface ShapedPhone extends TimeRange {
  readonly shapes: Shapes;
}

/** Each phone's time divided among its shapes; a phone without a shape is heard in the one before. */
function shapesOf(phones: readonly ShapedPhone[]): readonly TimedViseme[] {
  const timed: TimedViseme[] = [];
  for (const [index, { shapes, startMs, endMs }] of phones.entries()) {
    const shown = shapes === 'next' ? [followingVowel(phones.slice(index + 1))] : shapes;
    const last = timed.at(-1);
    if (shown.length === 0) {
      if (last !== undefined) timed[timed.length - 1] = { ...last, endMs };
      continue;
    }
    const share = shown.length === 2 ? firstHalf : 1 / shown.length;
    for (const [part, viseme] of shown.entries()) {
      const start = startMs + (endMs - startMs) * share * part;
      const end = part === shown.length - 1 ? endMs : startMs + (endMs - startMs) * share * (part + 1);
      timed.push({ viseme, startMs: start, endMs: end });
    }
  }
  return timed;
}

function followingVowel(phones: readonly ShapedPhone[]): Viseme {
  for (const { shapes } of phones) {
    const vowel = shapes === 'next' ? undefined : shapes.find((shape) => vowelShapes.has(shape));
    if (vowel !== undefined) return vowel;
  }
  return 'E';
}

function isClosure({ viseme }: TimedViseme): boolean {
  return viseme === 'PP' || viseme === 'FF';
}

/**
 * A timeline that can be seen: neighbours of one shape joined; closed lips at least `shortestVisemeMs`
 * at the cost of their neighbours, because a missed closure is what viewers notice first; and what is
 * shorter than that among the others given to its neighbours.
 */
export function settle(visemes: readonly TimedViseme[]): readonly TimedViseme[] {
  const timeline = widenClosures(joined(visemes.filter(({ startMs, endMs }) => endMs > startMs)));
  for (;;) {
    const shortest = shortestOpen(timeline);
    if (shortest === -1) return timeline;
    giveAway(timeline, shortest);
  }
}

function joined(visemes: readonly TimedViseme[]): TimedViseme[] {
  const timeline: TimedViseme[] = [];
  for (const timed of visemes) {
    const last = timeline.at(-1);
    if (last?.viseme === timed.viseme && last.endMs >= timed.startMs) timeline[timeline.length - 1] = { ...last, endMs: timed.endMs };
    else timeline.push(timed);
  }
  return timeline;
}

function widenClosures(timeline: readonly TimedViseme[]): TimedViseme[] {
  const wide = [...timeline];
  for (const [index, timed] of wide.entries()) {
    const lack = shortestVisemeMs - (timed.endMs - timed.startMs);
    if (!isClosure(timed) || lack <= 0) continue;
    const before = wide[index - 1];
    const after = wide[index + 1];
    const fromBefore = Math.min(spare(before), Math.max(lack / 2, lack - spare(after)));
    const fromAfter = Math.min(spare(after), lack - fromBefore);
    if (before !== undefined) wide[index - 1] = { ...before, endMs: before.endMs - fromBefore };
    if (after !== undefined) wide[index + 1] = { ...after, startMs: after.startMs + fromAfter };
    wide[index] = { ...timed, startMs: timed.startMs - fromBefore, endMs: timed.endMs + fromAfter };
  }
  return wide;
}

/** What a neighbour can give, ms. */
function spare(timed: TimedViseme | undefined): number {
  if (timed === undefined) return 0;
  return Math.max(0, timed.endMs - timed.startMs - (isClosure(timed) ? shortestVisemeMs : leastMs));
}

function shortestOpen(timeline: readonly TimedViseme[]): number {
  let found = -1;
  let least = shortestVisemeMs - 1e-6;
  for (const [index, timed] of timeline.entries()) {
    const length = timed.endMs - timed.startMs;
    if (isClosure(timed) || length >= least || timeline.length === 1) continue;
    found = index;
    least = length;
  }
  return found;
}

/** Its time goes to its neighbours, half each; neighbours of one shape become one. */
function giveAway(timeline: TimedViseme[], index: number): void {
  const [gone] = timeline.splice(index, 1);
  const before = timeline[index - 1];
  const after = timeline[index];
  if (gone === undefined) return;
  const middle = before === undefined ? gone.startMs : after === undefined ? gone.endMs : (gone.startMs + gone.endMs) / 2;
  if (before !== undefined) timeline[index - 1] = { ...before, endMs: middle };
  if (after !== undefined) timeline[index] = { ...after, startMs: middle };
  if (before !== undefined && after?.viseme === before.viseme) {
    timeline.splice(index - 1, 2, { viseme: before.viseme, startMs: before.startMs, endMs: after.endMs });
  }
}
