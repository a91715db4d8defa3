/*
 * Words to search by. English: lower case, without endings. Chinese has no spaces: runs of
 * characters become overlapping pairs, and single characters as well in documents.
 */

const englishStopWords = new Set(
  (
    'a about after again all also am an and any are as at be because been before being both but by can come could did do does ' +
    'during each few for from get give go had has have hello here hi how i if in into is isnt it its just kind know let like look ' +
    'many me mean more most much my no not now of on once only or other our out over please same shall should so some such tell ' +
    'than thank thanks that the their them then there these they thing this those to too under up us use very was we were what ' +
    'when where which while who whom whose why will with would you your calculate describe explain happen'
  ).split(' '),
);

/** Cut out of questions and documents alike before pairs are made, longest first. */
const chineseStopWords =
  /为什么|是什么|什么样|怎么样|什么意思|怎么回事|看起来|从哪里来|是哪里|哪里|你好|您好|谢谢|老师|讲讲|说说|给我|怎么算|计算|有哪些|是怎么|请问|什么时候|时候|什么|怎么|怎样|如何|哪些|哪个|哪种|哪款|为何|多少|可以|我们|你们|他们|它们|之后|以后|一个|一下|告诉|解释|介绍|这个|那个|这些|那些|不是|的(?!确)|了(?!解)|吗|呢|吧|啊|是|在|和|与|或|也|都|就|很|把|被|会|(?<![光动势热电核阳性功])能(?![量源力])|有(?![机害毒])|我|你|他|她|它|请|们|这|那|叫|去|要/gu;

/** Terms of a document, repeated as often as they occur. */
export function documentTerms(text: string): readonly string[] {
  return runs(text).flatMap((run) => (isChinese(run) ? chineseRun(run).flatMap((part) => [...part, ...pairs(part)]) : englishTerms(run)));
}

/** Terms of a question, each once. */
export function queryTerms(text: string): readonly string[] {
  const terms = runs(text).flatMap((run) =>
    isChinese(run) ? chineseRun(run).flatMap((part) => (part.length === 1 ? [part] : pairs(part))) : englishTerms(run),
  );
  return [...new Set(terms)];
}

function runs(text: string): readonly string[] {
  return (
    text
      .normalize('NFKC')
      .toLowerCase()
      .match(/\p{sc=Han}+|[[\p{L}\p{M}\p{N}'’]--\p{sc=Han}]+/gv) ?? []
  );
}

function isChinese(run: string): boolean {
  return /^\p{sc=Han}/u.test(run);
}

function chineseRun(run: string): readonly string[] {
  return run.split(chineseStopWords).filter((part) => part !== '');
}

function pairs(part: string): readonly string[] {
  const characters = [...part];
  return characters.slice(1).map((character, i) => `${characters[i]}${character}`);
}

function englishTerms(run: string): readonly string[] {
  const word = run.replace(/['’]s?$/u, '').replaceAll(/['’]/gu, '');
  return word === '' || englishStopWords.has(word) ? [] : [stem(word)];
}

/** Light: plurals, -ing, -ed, -ly and a final e, only where a word remains. */
function stem(word: string): string {
  if (word.length < 4 || !/^[a-z]+$/.test(word)) return word;
  const singular = word
    .replace(/ies$/, 'y')
    .replace(/(?<=ss|x|ch|sh)es$/, '')
    .replace(/(?<![su])s$/, '');
  const base = singular
    .replace(/(?<=[a-z]{3})(?:ing|ed|ly)$/, '')
    .replace(/(.)\1$/, (pair) => (/ll|ss/.test(pair) ? pair : pair.charAt(0)));
  return base.replace(/(?<=[a-z]{3})(?:ion|e)$/, '');
}
