import type { Locale } from '@virtual-tutor/schemas';

/** Whether a transcript, at a pause, sounds as if its speaker were done. */
export type UtteranceShape =
  /** A whole clause. */
  | 'complete'
  /** More is to come: it stops at a word that leads on, or at a hesitation. */
  | 'open'
  /** Cannot be told. */
  | 'unclear';

/**
 * Words that no English utterance ends with, but for lists and echoes. Recognisers put a full stop after
 * whatever they hear, so punctuation alone proves nothing.
 */
const leadsOnEn = new Set(
  `a an the and or but nor because since although though unless until while if when whenever where whether than
  as of to from for with without about into onto upon between among during through per via at in on by
  my your his her its our their some any every each this these those i we they he she
  is are was were am be been being do does did have has had can could will would shall should may might must
  so then also like just very really um uh er erm hmm hm well let's i'm you're we're they're it's that's there's
  what's which who whose how why what`.split(/\s+/),
);

/** Ends that leave the main thing unsaid. */
const leadsOnPhraseEn =
  /\b(?:(?:want|like|need|try|trying|going|have|used|able) to(?: know| ask| understand| say)?|(?:think|know|say|said|learned|believe|hope|told me|understand|guess) that|i (?:think|mean|guess|wonder|was wondering|don't know|want|believe)|(?:can|could|would) you(?: please)?(?: tell me| explain| show me)?|tell me|let me(?: think| see)?|you explain|you know|sort of|kind of|what i mean)$/;

/** A condition, or a time or place, before what it is said of. */
const conditionEn = /^(?:in|on|at|after|before|during) the \w+$|^(?:so |and |but )?(?:if|when|whenever|while|although|as soon as)\b[^,]*$/;

/** Whole utterances although their last word is in the list above. */
const wholeEn =
  /^(?:what|why|how|who|which|so what|how so|what for|what about|like what|i am|yes i (?:do|am|can|will|did)|no i (?:do|am|can|will|did))$/;

const leadsOnZh =
  /(?:因为|所以|但是|可是|不过|然后|而且|并且|如果|虽然|还有|或者|以及|比如|比如说|例如|就是|就是说|那个|这个|那么|那就|我想|我想问|想知道|我觉得|我认为|请问|你能|能不能|可以|是不是|关于|对于|嗯|呃|额|唔|和|跟|与|把|被|在|从|向|对|给|的时候|一个|一种|有|是|的话)$/;

/** Particles that end a sentence. */
const closesZh = /(?:吗|呢|吧|了|啊|呀|哦|什么|怎么办|为什么|多少|怎么样|谢谢|好的|明白|不懂|不会|不知道)$/;

/** A question by its first words. */
const asksZh = /^(?:请问|老师)?(?:为什么|怎么|什么|谁|哪|多少|几).{3,}$/;

export function shapeOf(text: string, language: Locale): UtteranceShape {
  const said = text.trim();
  const bare = said.replace(/[.?!,;:…。？！，、；：—\s-]+$/, '').toLowerCase();
  const marked = /[.?!。？！]$/.test(said) && !said.endsWith('...');
  const trailsOff = /(?:[,;:，、；：—-]|\.{3}|…)$/.test(said);
  const shape = language === 'zh' ? shapeOfChinese(bare, marked) : shapeOfEnglish(bare, { asked: /[?!]$/.test(said), marked });
  if (!trailsOff || shape === 'open') return shape;
  // A word alone gets a comma as often as a full stop.
  return /\s\S+\s|\p{Script=Han}{3}/u.test(bare) ? 'open' : 'unclear';
}

function shapeOfEnglish(bare: string, { asked, marked }: { readonly asked: boolean; readonly marked: boolean }): UtteranceShape {
  const plain = bare
    .replaceAll('’', "'")
    .replace(/[^\p{L}\p{N}' -]+/gu, ' ')
    .replace(/\s+/g, ' ')
    .trim();
  if (wholeEn.test(plain)) return 'complete';
  const words = plain.split(' ');
  // "What is it for?" is whole: a question mark weighs more than a preposition, but not more than "and".
  const last = words.at(-1) ?? '';
  if (/^(?:and|or|but|because|the|a|an|um|uh|er|if)$/.test(last)) return 'open';
  if (!asked && (leadsOnEn.has(last) || leadsOnPhraseEn.test(plain) || conditionEn.test(bare))) return 'open';
  // A recogniser that knows the end of a sentence marks it.
  return asked || (marked && words.length >= 3) ? 'complete' : 'unclear';
}

function shapeOfChinese(bare: string, marked: boolean): UtteranceShape {
  if (closesZh.test(bare)) return 'complete';
  if (leadsOnZh.test(bare)) return 'open';
  if (asksZh.test(bare)) return 'complete';
  return marked && [...bare].length >= 4 ? 'complete' : 'unclear';
}
