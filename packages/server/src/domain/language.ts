import type { Locale } from '@virtual-tutor/schemas';

/** The language of a message: Chinese when it has Han characters, English when it has Latin words, else the lesson's. */
export function languageOf(text: string, lesson: Locale): Locale {
  if (/\p{Script=Han}/u.test(text)) return 'zh';
  if (/\p{Script=Latin}{2,}/u.test(text)) return 'en';
  return lesson;
}
