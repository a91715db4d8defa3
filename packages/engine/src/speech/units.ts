import type { Locale } from '@virtual-tutor/schemas';

/** Symbol, singular and plural in English, and Chinese. */
const rows: readonly (readonly [symbol: string, one: string, many: string, chinese: string])[] = [
  ['km', 'kilometer', 'kilometers', '千米'],
  ['m', 'meter', 'meters', '米'],
  ['dm', 'decimeter', 'decimeters', '分米'],
  ['cm', 'centimeter', 'centimeters', '厘米'],
  ['mm', 'millimeter', 'millimeters', '毫米'],
  ['μm', 'micrometer', 'micrometers', '微米'],
  ['µm', 'micrometer', 'micrometers', '微米'],
  ['nm', 'nanometer', 'nanometers', '纳米'],
  ['ft', 'foot', 'feet', '英尺'],
  ['mi', 'mile', 'miles', '英里'],
  ['t', 'ton', 'tons', '吨'],
  ['kg', 'kilogram', 'kilograms', '千克'],
  ['g', 'gram', 'grams', '克'],
  ['mg', 'milligram', 'milligrams', '毫克'],
  ['μg', 'microgram', 'micrograms', '微克'],
  ['lb', 'pound', 'pounds', '磅'],
  ['oz', 'ounce', 'ounces', '盎司'],
  ['L', 'liter', 'liters', '升'],
  ['l', 'liter', 'liters', '升'],
  ['mL', 'milliliter', 'milliliters', '毫升'],
  ['ml', 'milliliter', 'milliliters', '毫升'],
  ['s', 'second', 'seconds', '秒'],
  ['ms', 'millisecond', 'milliseconds', '毫秒'],
  ['μs', 'microsecond', 'microseconds', '微秒'],
  ['ns', 'nanosecond', 'nanoseconds', '纳秒'],
  ['min', 'minute', 'minutes', '分钟'],
  ['h', 'hour', 'hours', '小时'],
  ['Hz', 'hertz', 'hertz', '赫兹'],
  ['kHz', 'kilohertz', 'kilohertz', '千赫兹'],
  ['MHz', 'megahertz', 'megahertz', '兆赫兹'],
  ['GHz', 'gigahertz', 'gigahertz', '吉赫兹'],
  ['N', 'newton', 'newtons', '牛'],
  ['J', 'joule', 'joules', '焦'],
  ['kJ', 'kilojoule', 'kilojoules', '千焦'],
  ['W', 'watt', 'watts', '瓦'],
  ['kW', 'kilowatt', 'kilowatts', '千瓦'],
  ['MW', 'megawatt', 'megawatts', '兆瓦'],
  ['kWh', 'kilowatt hour', 'kilowatt hours', '千瓦时'],
  ['V', 'volt', 'volts', '伏'],
  ['kV', 'kilovolt', 'kilovolts', '千伏'],
  ['mV', 'millivolt', 'millivolts', '毫伏'],
  ['A', 'ampere', 'amperes', '安'],
  ['mA', 'milliampere', 'milliamperes', '毫安'],
  ['Ω', 'ohm', 'ohms', '欧'],
  ['kΩ', 'kiloohm', 'kiloohms', '千欧'],
  ['Pa', 'pascal', 'pascals', '帕'],
  ['kPa', 'kilopascal', 'kilopascals', '千帕'],
  ['atm', 'atmosphere', 'atmospheres', '个大气压'],
  ['mol', 'mole', 'moles', '摩尔'],
  ['K', 'kelvin', 'kelvins', '开'],
  ['°C', 'degree Celsius', 'degrees Celsius', '摄氏度'],
  ['℃', 'degree Celsius', 'degrees Celsius', '摄氏度'],
  ['°F', 'degree Fahrenheit', 'degrees Fahrenheit', '华氏度'],
  ['℉', 'degree Fahrenheit', 'degrees Fahrenheit', '华氏度'],
  ['°', 'degree', 'degrees', '度'],
  ['eV', 'electron volt', 'electron volts', '电子伏'],
  ['cal', 'calorie', 'calories', '卡'],
  ['kcal', 'kilocalorie', 'kilocalories', '千卡'],
  ['dB', 'decibel', 'decibels', '分贝'],
  ['B', 'byte', 'bytes', '字节'],
  ['kB', 'kilobyte', 'kilobytes', '千字节'],
  ['KB', 'kilobyte', 'kilobytes', '千字节'],
  ['MB', 'megabyte', 'megabytes', '兆字节'],
  ['GB', 'gigabyte', 'gigabytes', '吉字节'],
  ['TB', 'terabyte', 'terabytes', '太字节'],
  ['mph', 'mile per hour', 'miles per hour', '英里每小时'],
  ['rpm', 'turn per minute', 'turns per minute', '转每分钟'],
];

const units = new Map(rows.map(([symbol, one, many, zh]) => [symbol, { one, many, zh }]));

/** Too short to be told from a letter or a plural when they touch their number: `1980s`, `4 A`. */
const onlyAfterSpace = new Set(['s', 't', 'A', 'B', 'K', 'N', 'V', 'W', 'J', 'h', 'l']);

const symbols = rows
  .map(([symbol]) => symbol)
  .sort((a, b) => b.length - a.length)
  .join('|');

/** A unit with its power, or one per another: `m²`, `km/h`, `kg/m^3`. */
export const unitPattern = `(?:${symbols})(?:[²³]|\\^[23])?(?:/(?:${symbols})(?:[²³]|\\^[23])?)?(?![\\p{L}\\p{N}])`;

/** Null: no unit where it stands. `spaced`: white space stands before it. */
export function readUnit(
  symbol: string,
  options: { readonly locale: Locale; readonly single: boolean; readonly spaced: boolean },
): string | null {
  if (!options.spaced && onlyAfterSpace.has(symbol)) return null;
  const [first = '', per] = symbol.split('/');
  const numerator = readPower(first, options);
  if (per === undefined) return numerator;
  const denominator = readPower(per, { ...options, single: true });
  if (numerator === null || denominator === null) return null;
  return options.locale === 'zh' ? `${numerator}每${denominator}` : `${numerator} per ${denominator}`;
}

function readPower(symbol: string, { locale, single }: { readonly locale: Locale; readonly single: boolean }): string | null {
  const { base = '', power } = /^(?<base>.*?)(?:\^?(?<power>[²³23]))?$/u.exec(symbol)?.groups ?? {};
  const unit = units.get(base);
  if (unit === undefined) return null;
  const name = locale === 'zh' ? unit.zh : single ? unit.one : unit.many;
  if (power === undefined) return name;
  const square = power === '²' || power === '2';
  if (locale === 'zh') return `${square ? '平方' : '立方'}${name}`;
  return `${square ? 'square' : 'cubic'} ${name}`;
}
