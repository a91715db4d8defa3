const digits = '零一二三四五六七八九';
const places = ['', '十', '百', '千'];
const myriads = ['', '万', '亿', '万亿'];
/** Longer numbers are read digit by digit. */
const mostDigits = 16;

/** `written`: `1234`, `1,234`, `3.50`, `007`. In characters only: espeak-ng swallows the point of 3.5 after a character. */
export function chineseNumber(written: string): string {
  const [whole = '', fraction] = written.replaceAll(',', '').split('.');
  const spoken = whole.length <= mostDigits && !/^0\d/u.test(whole) ? chineseInteger(whole) : chineseDigits(whole);
  return fraction === undefined || fraction === '' ? spoken : `${spoken}点${chineseDigits(fraction)}`;
}

/** Years, room and telephone numbers: one digit after the other. */
export function chineseDigits(written: string): string {
  return [...written].map((digit) => digits[Number(digit)] ?? '').join('');
}

function chineseInteger(whole: string): string {
  const groups: string[] = [];
  for (let end = whole.length; end > 0; end -= 4) groups.unshift(whole.slice(Math.max(0, end - 4), end));
  let spoken = '';
  let gap = false;
  for (const [index, group] of groups.entries()) {
    const value = Number(group);
    if (value === 0) {
      gap = true;
      continue;
    }
    // A group that does not fill its places is led by a zero: 一万零一.
    const padded = spoken !== '' && (gap || value < 1000) ? '零' : '';
    spoken += padded + upToTenThousand(value) + (myriads[groups.length - 1 - index] ?? '');
    gap = false;
  }
  if (spoken === '') return '零';
  return spoken.replace(/^一十/u, '十');
}

function upToTenThousand(value: number): string {
  const written = String(value);
  let spoken = '';
  let zero = false;
  for (const [index, digit] of [...written].entries()) {
    if (digit === '0') zero = true;
    else {
      spoken += `${zero ? '零' : ''}${digits[Number(digit)] ?? ''}${places[written.length - 1 - index] ?? ''}`;
      zero = false;
    }
  }
  return spoken;
}
