import type { Locale } from '@virtual-tutor/schemas';

/** Both languages' words for one thing: English, Chinese. */
type Pair = readonly [en: string, zh: string];

const greek =
  'alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho sigma tau upsilon phi chi psi omega'.split(' ');

/** What stands for itself in prose and formulas alike. */
const symbolPairs: Readonly<Record<string, Pair>> = {
  '+': ['plus', '加'],
  '−': ['minus', '减'],
  '×': ['times', '乘以'],
  '·': ['times', '乘以'],
  '⋅': ['times', '乘以'],
  '÷': ['divided by', '除以'],
  '±': ['plus or minus', '正负'],
  '=': ['equals', '等于'],
  '≡': ['is identical to', '恒等于'],
  '≠': ['does not equal', '不等于'],
  '≈': ['is about', '约等于'],
  '∼': ['is similar to', '相似于'],
  '<': ['is less than', '小于'],
  '>': ['is greater than', '大于'],
  '≤': ['is at most', '小于等于'],
  '≥': ['is at least', '大于等于'],
  '≪': ['is much less than', '远小于'],
  '≫': ['is much greater than', '远大于'],
  '→': ['to', '到'],
  '⟶': ['to', '到'],
  '←': ['from', '来自'],
  '⇒': ['implies', '推出'],
  '⇔': ['is equivalent to', '等价于'],
  '↔': ['and back', '互变'],
  '⇌': ['in balance with', '可逆地变成'],
  '∞': ['infinity', '无穷大'],
  '√': ['the square root of', '根号'],
  '∑': ['the sum of', '求和'],
  '∏': ['the product of', '连乘'],
  '∫': ['the integral of', '积分'],
  '∂': ['partial', '偏'],
  '∇': ['nabla', '梯度'],
  '∆': ['delta', '德尔塔'],
  '∈': ['in', '属于'],
  '∉': ['not in', '不属于'],
  '⊂': ['is a subset of', '包含于'],
  '⊆': ['is a subset of', '包含于'],
  '∪': ['union', '并'],
  '∩': ['intersection', '交'],
  '∅': ['the empty set', '空集'],
  '∀': ['for all', '对任意'],
  '∃': ['there exists', '存在'],
  '∧': ['and', '且'],
  '∨': ['or', '或'],
  '¬': ['not', '非'],
  '∝': ['is proportional to', '正比于'],
  '⊥': ['is perpendicular to', '垂直于'],
  '∥': ['is parallel to', '平行于'],
  '∠': ['angle', '角'],
  '∴': ['therefore', '所以'],
  '∵': ['because', '因为'],
  '°': ['degrees', '度'],
  '%': ['percent', '百分之'],
  '‰': ['per thousand', '千分之'],
  '½': ['one half', '二分之一'],
  '⅓': ['one third', '三分之一'],
  '⅔': ['two thirds', '三分之二'],
  '¼': ['one quarter', '四分之一'],
  '¾': ['three quarters', '四分之三'],
  π: ['pi', '派'],
};

/** LaTeX commands that are a symbol; `\\alpha` and its like are named below. */
const commandSymbols: Readonly<Record<string, string>> = Object.fromEntries(
  (
    'times:× cdot:· ast:× div:÷ pm:± mp:± neq:≠ ne:≠ approx:≈ sim:∼ equiv:≡ leq:≤ le:≤ leqslant:≤ geq:≥ ge:≥ geqslant:≥ lt:< gt:> ll:≪ gg:≫ ' +
    'to:→ rightarrow:→ longrightarrow:→ leftarrow:← gets:← Rightarrow:⇒ implies:⇒ Leftrightarrow:⇔ iff:⇔ leftrightarrow:↔ rightleftharpoons:⇌ ' +
    'infty:∞ partial:∂ nabla:∇ in:∈ notin:∉ subset:⊂ subseteq:⊆ cup:∪ cap:∩ emptyset:∅ varnothing:∅ forall:∀ exists:∃ land:∧ wedge:∧ lor:∨ vee:∨ ' +
    'neg:¬ lnot:¬ propto:∝ perp:⊥ parallel:∥ angle:∠ therefore:∴ because:∵ degree:° circ:°'
  )
    .split(' ')
    .map((entry) => entry.split(':')),
);

const functionPairs: Readonly<Record<string, Pair>> = {
  sin: ['sine', '正弦'],
  cos: ['cosine', '余弦'],
  tan: ['tangent', '正切'],
  cot: ['cotangent', '余切'],
  sec: ['secant', '正割'],
  csc: ['cosecant', '余割'],
  arcsin: ['arc sine', '反正弦'],
  arccos: ['arc cosine', '反余弦'],
  arctan: ['arc tangent', '反正切'],
  log: ['log', '对数'],
  ln: ['natural log', '自然对数'],
  lg: ['log', '常用对数'],
  exp: ['exponential', '指数函数'],
  max: ['max', '最大值'],
  min: ['min', '最小值'],
  det: ['determinant', '行列式'],
  gcd: ['greatest common divisor', '最大公约数'],
  mod: ['modulo', '模'],
};

const accentPairs: Readonly<Record<string, Pair>> = {
  vec: ['vector', '向量'],
  hat: ['hat', '尖'],
  bar: ['bar', '杠'],
  overline: ['bar', '杠'],
  dot: ['dot', '点'],
  tilde: ['tilde', '波浪'],
};

function side(locale: Locale, [en, zh]: Pair): string {
  return locale === 'zh' ? zh : en;
}

/** A single symbol in words; null: it has none. Greek letters by their names. */
export function symbolWord(symbol: string, locale: Locale): string | null {
  const pair = Object.hasOwn(symbolPairs, symbol) ? symbolPairs[symbol] : undefined;
  if (pair !== undefined) return side(locale, pair);
  // Of the final sigma there is no second name.
  const index = 'αβγδεζηθικλμνξοπρστυφχψω'.indexOf(symbol.toLowerCase());
  return index === -1 || symbol.length !== 1 ? null : (greek[index] ?? null);
}

/** A LaTeX command that is one thing; null: it is none, or means something else than a word. */
export function commandWord(command: string, locale: Locale): string | null {
  const symbol = Object.hasOwn(commandSymbols, command) ? commandSymbols[command] : undefined;
  if (symbol !== undefined) return symbolWord(symbol, locale);
  const named = command.toLowerCase().replace(/^var/u, '');
  if (named === 'pi') return symbolWord('π', locale);
  if (greek.includes(named)) return named;
  return functionWord(command, locale);
}

export function functionWord(name: string, locale: Locale): string | null {
  const pair = Object.hasOwn(functionPairs, name) ? functionPairs[name] : undefined;
  return pair === undefined ? null : side(locale, pair);
}

export function accentWord(command: string, locale: Locale): string | null {
  const pair = Object.hasOwn(accentPairs, command) ? accentPairs[command] : undefined;
  return pair === undefined ? null : side(locale, pair);
}
