const ones =
  'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen'.split(
    ' ',
  );
const tens = 'zero ten twenty thirty forty fifty sixty seventy eighty ninety'.split(' ');
const scales = [
  [1e12, 'trillion'],
  [1e9, 'billion'],
  [1e6, 'million'],
  [1e3, 'thousand'],
  [100, 'hundred'],
] as const;
const ordinals: Readonly<Record<string, string>> = {
  one: 'first',
  two: 'second',
  three: 'third',
  five: 'fifth',
  eight: 'eighth',
  nine: 'ninth',
  twelve: 'twelfth',
};
/** Longer numbers are read digit by digit. */
const mostDigits = 15;

/** `digits`: `1234`, `1,234`, `3.50`, `007`. Words of letters only, so that every synthesiser says the same. */
export function englishNumber(digits: string): string {
  const [whole = '', fraction] = digits.replaceAll(',', '').split('.');
  const spoken = isRead(whole) ? englishInteger(Number(whole)) : digitByDigit(whole);
  return fraction === undefined || fraction === '' ? spoken : `${spoken} point ${digitByDigit(fraction)}`;
}

/** Four digits as people say a year, or a round number of hundreds: nineteen oh five, fifteen hundred. */
export function englishYear(year: number): string {
  const century = Math.floor(year / 100);
  const rest = year % 100;
  if (century % 10 === 0 && rest < 10) return englishInteger(year);
  if (rest === 0) return `${englishInteger(century)} hundred`;
  return `${englishInteger(century)} ${rest < 10 ? `oh ${ones[rest]}` : englishInteger(rest)}`;
}

/** `21` of 21st: twenty first. */
export function englishOrdinal(digits: string): string {
  const words = englishNumber(digits).split(' ');
  const last = words.pop() ?? '';
  return [...words, ordinals[last] ?? `${last.replace(/y$/u, 'ie')}th`.replace('tth', 'th')].join(' ');
}

export function digitByDigit(digits: string): string {
  return [...digits].map((digit) => ones[Number(digit)] ?? '').join(' ');
}

function isRead(whole: string): boolean {
  return whole.length <= mostDigits && !/^0\d/u.test(whole);
}

function englishInteger(value: number): string {
  if (value < 20) return ones[value] ?? '';
  if (value < 100) return [tens[Math.floor(value / 10)], ...(value % 10 === 0 ? [] : [ones[value % 10]])].join(' ');
  for (const [size, name] of scales) {
    if (value < size) continue;
    const rest = value % size;
    const head = `${englishInteger(Math.floor(value / size))} ${name}`;
    return rest === 0 ? head : `${head} ${englishInteger(rest)}`;
  }
  return '';
}
