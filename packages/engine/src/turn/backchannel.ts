import type { Locale } from '@virtual-tutor/schemas';

/** What a sound made while the tutor speaks turned out to be. */
export type Heard =
  /** No words in it. */
  | 'nothing'
  /** "mm", "yeah", 嗯: go on, I am listening. */
  | 'backchannel'
  /** The tutor's own words, by way of the student's loudspeaker. */
  | 'echo'
  /** One word that may as well have been read into a cough. */
  | 'word'
  /** Several. */
  | 'words'
  /** "Stop", "wait", 等一下: for the tutor, however short. */
  | 'request';

const hum =
  /^(?:m+|m+h+m*|mhm+|h+m+|u+h+|u+m+|a+h+|o+h+|e+h+|e+r+m*|h+u+h+|h+a+(?:h+a+)*|a+w+|o+o+h+|p+s+h*t*|s+h+|w+o+w+|phew|ugh+|tsk|ahem|achoo)$/;

const backchannelsEn = new Set(
  `yeah yep yup yes ya yay ok okay kay right sure alright good great nice cool true exactly indeed fine really oh ah gotcha
  thanks bye`.split(/\s+/),
);

/** Words that are one only together. */
const phrasesEn = /\b(?:i see|got it|makes sense|of course|all right|thank you)\b/g;

const backchannelsZh =
  /^(?:嗯+|恩+|唔+|哦+|噢+|喔+|啊+|呃+|额+|哎+|诶+|欸+|哈+|呵+|好的?|对的?|是的?|行|没错|明白了?|懂了?|知道了?|原来如此|这样啊?|谢谢|ok|okay)+$/iu;

const requestsEn =
  /^(?:(?:no|hey|oh|um|but|please|ok|okay|sorry|teacher|excuse me) )*(?:stop|wait|no|what|why|how|who|where|when|which|sorry|pardon|hold on|hang on|excuse me|hey|help|again|question|repeat|pause|slower|slow down|louder|next|skip|continue|go on|go back|enough|quiet|shut up|one (?:second|moment)|just a (?:second|moment)|wait a (?:second|moment|minute)|say (?:that|it) again)\b/;

const requestsZh =
  /^(?:嗯|啊|哎|诶|那个|不好意思|对不起|抱歉|请|老师|你)*(?:等一下|等等|等会儿?|停|打断|不对|不是|不要|什么|为什么|怎么|再说|再讲|重复|慢一?点|大声|我有问题|有问题|问一下|请问|下一个|跳过|继续|够了|安静|别说|老师)/;

/** Lower case, without punctuation; hyphens and apostrophes stay. */
function wordsOf(text: string): readonly string[] {
  return text
    .toLowerCase()
    .replaceAll('’', "'")
    .replace(/[^\p{L}\p{N}'-]+/gu, ' ')
    .trim()
    .split(/\s+/)
    .filter((word) => /[\p{L}\p{N}]/u.test(word));
}

function isBackchannelEn(words: readonly string[]): boolean {
  const rest = words
    .join(' ')
    .replace(phrasesEn, ' ')
    .split(' ')
    .filter((word) => word !== '');
  return rest.every((word) => backchannelsEn.has(word) || word.split('-').every((part) => hum.test(part)));
}

/** Characters of Han script, and words of any other. */
function unitsOf(text: string): readonly string[] {
  return wordsOf(text).flatMap((word) => word.match(/\p{Script=Han}|[^\p{Script=Han}]+/gu) ?? []);
}

/** Fewest units that can be told from chance. */
const fewestEchoed = 2;
const echoedShare = 0.6;

/** Most of what was heard is, two units at a time, in what the tutor is saying. */
function isEcho(text: string, saying: string): boolean {
  const heard = unitsOf(text);
  const said = unitsOf(saying);
  if (heard.length < fewestEchoed) return false;
  const pairs = new Set(said.slice(1).map((unit, index) => `${said[index]} ${unit}`));
  const echoed = heard.slice(1).filter((unit, index) => pairs.has(`${heard[index]} ${unit}`));
  return echoed.length / (heard.length - 1) >= echoedShare;
}

export interface HeardWhilePlaying {
  readonly text: string;
  readonly language: Locale;
  /** What the tutor is saying; '' when not known. */
  readonly saying: string;
}

export function classifyHeard({ text, language, saying }: HeardWhilePlaying): Heard {
  const words = wordsOf(text);
  if (words.length === 0) return 'nothing';
  if (isEcho(text, saying)) return 'echo';
  const joined = words.join(language === 'zh' ? '' : ' ');
  if (requestsEn.test(joined) || requestsZh.test(joined)) return 'request';
  if (isBackchannelEn(words) || (language === 'zh' && backchannelsZh.test(joined))) return 'backchannel';
  return unitsOf(text).length > 1 ? 'words' : 'word';
}

/** Nothing but "um" or "er": whoever says that has not said anything yet. */
export function isHesitation(text: string): boolean {
  const words = wordsOf(text);
  return words.length > 0 && words.every((word) => /^(?:u+m+|u+h+|e+r+m*|h+m+|呃+|额+)$/.test(word));
}
