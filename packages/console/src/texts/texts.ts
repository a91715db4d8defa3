import { auditTexts } from './audit.ts';
import { commonTexts } from './common.ts';
import { deskTexts } from './desk.ts';
import { facesTexts } from './faces.ts';
import { homeTexts } from './home.ts';
import { roomTexts } from './room.ts';
import { voiceTexts } from './voice.ts';

/** Every string of the page. */
export const texts = { ...commonTexts, ...homeTexts, ...roomTexts, ...voiceTexts, ...deskTexts, ...facesTexts, ...auditTexts };

export type TextKey = keyof typeof texts;
export type Language = 'en' | 'zh';

type Gap<Sentence extends string> = Sentence extends `${string}{${infer Name}}${infer Rest}` ? Name | Gap<Rest> : never;
type GapsOf<Key extends TextKey> = Gap<(typeof texts)[Key]['en']>;
/** What a sentence needs filled in: nothing, or a value for each gap. */
export type Fillings<Key extends TextKey> = [GapsOf<Key>] extends [never]
  ? readonly []
  : readonly [values: Readonly<Record<GapsOf<Key>, string | number>>];

export type Say = <Key extends TextKey>(key: Key, ...fillings: Fillings<Key>) => string;

export function sayIn(language: Language): Say {
  return (key, ...fillings) => {
    const values: Readonly<Record<string, string | number>> = fillings[0] ?? {};
    return texts[key][language].replace(/\{(\w+)\}/g, (gap, name: string) => String(values[name] ?? gap));
  };
}

export function isTextKey(key: string): key is TextKey {
  return Object.hasOwn(texts, key);
}
