import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { TimedViseme, Viseme } from '../media/ports.ts';
import {
  arpabet,
  arpabetVisemes,
  englishIpa,
  ipaShapes,
  ipaVisemes,
  mandarinIpa,
  settle,
  shortestVisemeMs,
  type TimedPhone,
} from './visemes.ts';

/** Every phone 100 ms. */
function timed(phones: readonly string[], lengthMs = 100): readonly TimedPhone[] {
  return phones.map((phone, index) => ({ phone, startMs: index * lengthMs, endMs: (index + 1) * lengthMs }));
}

function shown(visemes: readonly TimedViseme[]): readonly Viseme[] {
  return visemes.map(({ viseme }) => viseme);
}

/** flite's whole inventory: cmulex's phones, what its post-lexical rules add, and the pause. */
const cmuPhones = 'aa ae ah ao aw ax ay b ch d dh eh er ey f g hh ih iy jh k l m n ng ow oy p r s sh t th uh uw v w y z zh pau'.split(' ');
/** What espeak-ng said of 2,608 English words, and of 550 Chinese characters. */
const espeakEnglish = (
  'p b m f v θ ð t d ɾ k ɡ x ʔ tʃ dʒ ʃ ʒ s z ɬ n n̩ ŋ l əl ɹ ɑː ɑːɹ ʌ ɐ æ ə ɛ ɛɹ ɜː ɚ eɪ ɪ iː i ᵻ j iə ɪɹ ' +
  'ɔː ɔ ɔːɹ oʊ uː ʊ ʊɹ w aɪ aɪə aɪɚ aʊ ɔɪ h'
).split(' ');
const espeakMandarin = (
  'p ph m f t th n ŋ l k kh χ tɕ tɕh ɕ ts. ts.h s. ts tsh s ʐ ər a ɑ ai ɑu ia iɑ ua uai ə ei iɛ yɛ yæ i i̪ i. j in ɪ ' +
  'o- o uo ou iou onɡ u y w uei uə yə uː'
).split(' ');

test.for(cmuPhones)('flite’s %s has a shape of its own', (phone) => {
  expect(arpabet.has(phone)).toBe(true);
});

test.for(espeakEnglish)('espeak-ng’s English %s has a shape of its own', (phone) => {
  expect(englishIpa.has(phone)).toBe(true);
});

test.for(espeakMandarin)('espeak-ng’s Mandarin %s has a shape', (phone) => {
  expect(ipaShapes(phone, mandarinIpa)).not.toEqual([]);
});

test('lips close for p, b and m, and touch teeth for f and v, in every table', () => {
  for (const phone of ['p', 'b', 'm']) for (const table of [arpabet, englishIpa]) expect(table.get(phone)).toEqual(['PP']);
  for (const phone of ['p', 'ph', 'm']) expect(mandarinIpa.get(phone)).toEqual(['PP']);
  for (const phone of ['f', 'v']) for (const table of [arpabet, englishIpa]) expect(table.get(phone)).toEqual(['FF']);
  expect(mandarinIpa.get('f')).toEqual(['FF']);
});

test('a diphthong moves from one shape to the next', () => {
  expect(arpabetVisemes(timed(['ay'], 200))).toEqual([
    { viseme: 'aa', startMs: 0, endMs: expect.closeTo(110, 5) },
    { viseme: 'I', startMs: expect.closeTo(110, 5), endMs: 200 },
  ]);
  expect(shown(ipaVisemes(timed(['aʊ'], 200), 'en'))).toEqual(['aa', 'U']);
  expect(shown(ipaVisemes(timed(['ˈiou'], 300), 'zh'))).toEqual(['I', 'O', 'U']);
});

test('h has the shape of the vowel that follows', () => {
  expect(shown(arpabetVisemes(timed(['hh', 'uw'])))).toEqual(['U']);
  expect(shown(arpabetVisemes(timed(['hh', 'r', 'iy'])))).toEqual(['I', 'RR', 'I']);
  expect(shown(ipaVisemes(timed(['h', 'ˈaɪ']), 'en')).at(0)).toBe('aa');
  expect(shown(arpabetVisemes(timed(['hh'])))).toEqual(['E']);
});

test('stress, tones and language switches change which shape, not how many', () => {
  expect(ipaShapes('ˈɑː', englishIpa)).toEqual(['aa']);
  expect(ipaShapes('ˌonɡ', mandarinIpa)).toEqual(['O', 'nn']);
  expect(ipaShapes('', englishIpa)).toEqual(['sil']);
  const mixed = [...timed(['w', 'ˈo', '(en)', 'p', 'aɪ', 'θ', '(cmn)', 'ɕ', 'i'], 200)];
  expect(shown(ipaVisemes(mixed, 'zh'))).toEqual(['U', 'O', 'PP', 'aa', 'I', 'TH', 'CH', 'I']);
});

test('a language switch leaves no hole', () => {
  const timeline = ipaVisemes(timed(['u', '(en)', 'aɪ', '(cmn)', ''], 200), 'zh');
  for (const [index, { startMs }] of timeline.entries()) expect(startMs).toBe(timeline[index - 1]?.endMs ?? 0);
});

test('an unknown phone is read by its first known letter, and one without any leaves the mouth as it is', () => {
  expect(ipaShapes('pʼ', englishIpa)).toEqual(['PP']);
  expect(shown(ipaVisemes(timed(['ɑː', '¿', 's']), 'en'))).toEqual(['aa', 'SS']);
});

test('a closure too short to be seen gets its time from its neighbours', () => {
  const timeline = settle([
    { viseme: 'aa', startMs: 0, endMs: 100 },
    { viseme: 'PP', startMs: 100, endMs: 120 },
    { viseme: 'aa', startMs: 120, endMs: 220 },
  ]);
  expect(timeline).toEqual([
    { viseme: 'aa', startMs: 0, endMs: 80 },
    { viseme: 'PP', startMs: 80, endMs: 140 },
    { viseme: 'aa', startMs: 140, endMs: 220 },
  ]);
});

const anyTimeline = fc
  .array(fc.tuple(fc.constantFrom<Viseme>('sil', 'PP', 'FF', 'DD', 'SS', 'aa', 'I', 'U'), fc.integer({ min: 1, max: 200 })), {
    minLength: 1,
    maxLength: 40,
  })
  .map((entries) => {
    let at = 0;
    return entries.map(([viseme, lengthMs]): TimedViseme => {
      at += lengthMs;
      return { viseme, startMs: at - lengthMs, endMs: at };
    });
  });

test('a timeline covers the same time without gaps, and nothing but closures is shorter than can be seen', () => {
  fc.assert(
    fc.property(anyTimeline, (timeline) => {
      const settled = settle(timeline);
      expect(settled.at(0)?.startMs).toBe(0);
      expect(settled.at(-1)?.endMs).toBeCloseTo(timeline.at(-1)?.endMs ?? 0, 6);
      for (const [index, { viseme, startMs, endMs }] of settled.entries()) {
        expect(endMs).toBeGreaterThan(startMs);
        if (index > 0) expect(startMs).toBeCloseTo(settled[index - 1]?.endMs ?? 0, 6);
        if (settled.length > 1 && viseme !== 'PP' && viseme !== 'FF') expect(endMs - startMs).toBeGreaterThan(shortestVisemeMs - 0.01);
      }
    }),
    { numRuns: 1_000 },
  );
});

test('no closure is ever lost: apart in the phones, apart in the timeline', () => {
  fc.assert(
    fc.property(anyTimeline, (timeline) => {
      const closures = (visemes: readonly TimedViseme[]) => shown(visemes).filter((viseme) => viseme === 'PP' || viseme === 'FF');
      const wanted = closures(timeline);
      const kept = closures(settle(timeline));
      // Where nothing that can be seen stands between two of a kind, they are one.
      expect(new Set(kept)).toEqual(new Set(wanted));
      for (const viseme of ['PP', 'FF'] as const) {
        for (const timed of timeline.filter((entry) => entry.viseme === viseme)) {
          const middle = (timed.startMs + timed.endMs) / 2;
          expect(
            settle(timeline).some(
              (entry) =>
                entry.viseme === viseme && Math.abs(middle - (entry.startMs + entry.endMs) / 2) < (entry.endMs - entry.startMs) / 2 + 60,
            ),
          ).toBe(true);
        }
      }
    }),
    { numRuns: 500 },
  );
});
