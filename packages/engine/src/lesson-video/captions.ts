import type { Locale } from '@virtual-tutor/schemas';
import type { LessonScore, ScoredSentence, StudentLine } from './score.ts';

export interface Caption {
  readonly startMs: number;
  /** After `startMs`. */
  readonly endMs: number;
  readonly text: string;
}

/** What was written has no length in the log: it stays as long as reading takes, ms. */
const reading = { perCharacter: { en: 60, zh: 200 }, least: 1_500, most: 7_000 } as const;

const words: Readonly<Record<Locale, { readonly student: string; readonly erased: string; readonly cut: string }>> = {
  en: { student: 'Student: ', erased: '[erased]', cut: ' —' },
  zh: { student: '学生：', erased: '［已删除］', cut: '——' },
};

/** What was said, heard and written, each while it lasted; in order of their beginnings. They may overlap: a student may talk into the tutor's words. */
export function captionsOf({ sentences, student, durationMs }: LessonScore): readonly Caption[] {
  const all = [...student.map(captionOfStudent), ...sentences.map(captionOfTutor)];
  return all
    .map((caption) => ({ ...caption, endMs: Math.min(caption.endMs, durationMs) }))
    .filter(({ startMs, endMs }) => endMs > startMs)
    .toSorted((a, b) => a.startMs - b.startMs);
}

function captionOfStudent({ language, text, startMs, endMs }: StudentLine): Caption {
  const said = `${words[language].student}${text === null ? words[language].erased : onOneLine(text)}`;
  return { startMs, endMs: endMs > startMs ? endMs : startMs + readingMs(said, language), text: said };
}

function captionOfTutor({ language, heardText, startMs, heardMs, cut }: ScoredSentence): Caption {
  const { erased, cut: dash } = words[language];
  const said = heardText === null ? erased : `${onOneLine(heardText)}${cut ? dash : ''}`.trim();
  return { startMs, endMs: startMs + (heardMs > 0 ? heardMs : readingMs(said, language)), text: said };
}

function onOneLine(text: string): string {
  return text.trim().replaceAll(/\s+/g, ' ');
}

function readingMs(text: string, language: Locale): number {
  return Math.min(reading.most, Math.max(reading.least, text.length * reading.perCharacter[language]));
}

/** Without overlaps: what stands on the picture from one change to the next, all captions of the moment in lines. Whole ms. */
export function captionTrack(captions: readonly Caption[]): readonly Caption[] {
  const whole = captions.map(({ text, startMs, endMs }) => ({ text, startMs: Math.round(startMs), endMs: Math.round(endMs) }));
  const changes = [...new Set(whole.flatMap(({ startMs, endMs }) => [startMs, endMs]))].toSorted((a, b) => a - b);
  return changes.flatMap((startMs, nth) => {
    const shown = whole.filter((caption) => caption.startMs <= startMs && caption.endMs > startMs);
    const endMs = changes[nth + 1];
    return shown.length === 0 || endMs === undefined ? [] : [{ startMs, endMs, text: shown.map(({ text }) => text).join('\n') }];
  });
}
