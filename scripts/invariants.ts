import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { root } from './steps.ts';

/** Parsed, not imported: tests' support needs vitest around it. */
const storesSource = sourceOf('test/support/stores.ts');
const storeKinds = listIn(storesSource, 'storeKinds');
const databaseKinds = listIn(storesSource, 'databaseKinds');

function sourceOf(file: string): ts.SourceFile {
  return ts.createSourceFile(file, readFileSync(join(root, file), 'utf8'), ts.ScriptTarget.Latest);
}

/** Strings of the array that a file declares under this name. */
function listIn(source: ts.SourceFile, name: string): readonly string[] {
  const declared = source.statements
    .filter(ts.isVariableStatement)
    .flatMap(({ declarationList }) => [...declarationList.declarations])
    .find((declaration) => ts.isIdentifier(declaration.name) && declaration.name.text === name)?.initializer;
  if (declared === undefined || !ts.isArrayLiteralExpression(declared)) throw new Error(`${source.fileName} has no list ${name}`);
  return declared.elements.filter(ts.isStringLiteral).map(({ text }) => text);
}

/** What the log and all that reads it promise, and on which stores each promise is to be tested; null: it is none of one store. */
const invariants: readonly (readonly [string, readonly string[] | null])[] = [
  ['Positions are dense from 1 and rise in the order of commits.', storeKinds],
  ['Revisions of a stream are dense from 1.', storeKinds],
  ['Of many racing appends at one revision exactly one wins; the losers write nothing.', storeKinds],
  ['Of a batch with conflicts the others are stored, each command whole or not at all.', storeKinds],
  ['What was answered as stored is on the disk.', databaseKinds],
  ['Nothing in the log can be changed, removed or emptied.', databaseKinds],
  ['An append on an old snapshot is refused.', databaseKinds],
  ['What is read is what was written, to the last bit.', storeKinds],
  ['Every store gives the answers of one model, whatever it is asked.', storeKinds],
  ['The same command again has one effect and one answer.', storeKinds],
  ['A command id cannot be used for anything else.', storeKinds],
  ['A retry after an unknown outcome ends with exactly one event.', ['PostgreSQL']],
  ['A writer that is slow to commit hides nothing from readers, whatever their page.', storeKinds],
  ['A reader that starts or comes back anywhere loses nothing and repeats nothing.', storeKinds],
  ['Lost notifications, lost listeners and storms of them cost time, never an event.', ['PostgreSQL']],
  ['Between history and what happens meanwhile there is neither gap nor overlap.', storeKinds],
  ['A feed that is cut anywhere goes on where it was; wrong resume points are typed errors.', null],
  ['A slow reader costs bounded memory, is cut, resumes, and disturbs nobody.', null],
  ['Thousands follow one node.', storeKinds],
  ["A student's subscription yields no other session's events, whatever she asks for.", null],
  ['Live, rebuilt and otherwise batched projections have the same rows.', databaseKinds],
  ['Killed anywhere, a projection counts each event once.', databaseKinds],
  ['A projection has one owner: whoever slept through its lease changes nothing.', databaseKinds],
  ['An event that a projection cannot take parks that projection alone, and health says so.', databaseKinds],
  ['A rebuild serves only when it is complete, all at once, and repeats no effect.', databaseKinds],
  ['Folds have no clock and no dice.', null],
  ['After kill -9, an immediate stop, a full disk, a reset connection or a failover 1 to 5 hold.', databaseKinds],
  ['A restored backup is followed on from the same positions.', ['PostgreSQL']],
  ['A long export under load disturbs neither order nor writers.', ['PostgreSQL']],
  ['Clocks that jump back change no order.', databaseKinds],
  ['Who waits for a stuck lock gets a typed error in time.', ['PostgreSQL']],
  ['The embedded database has one process, and opens again after kill -9.', ['PGlite']],
  ['Events of every version ever written fold as they did; what is not known is an error by name.', null],
  ['Once a student is forgotten her words are nowhere, and the chain still holds.', databaseKinds],
  ['A ciphertext moved to another event or student does not open.', null],
  ['Whatever was changed, dropped, moved, inserted or cut off is named by its first place.', null],
  ['A state kept in memory and the events since make what the whole fold makes.', null],
  ['Under load latency and memory are bounded, and nothing lags once it stops.', null],
  ['A bad command fails alone, and one busy stream starves no other.', storeKinds],
];

interface Holding {
  readonly title: string;
  readonly file: string;
  readonly stores: readonly string[];
}

interface Place {
  readonly file: string;
  /** Titles of the suites around, and what they are said to need. */
  readonly around: string;
  /** Of a loop over stores; null: no such loop. */
  readonly looped: readonly string[] | null;
}

const kindsByName = new Map([
  ['storeKinds', storeKinds],
  ['databaseKinds', databaseKinds],
]);

/** The name at the bottom of `describe`, `describe.each(...)`, `describeOn(kind)`. */
function calleeOf(node: ts.Expression): string {
  if (ts.isIdentifier(node)) return node.text;
  return ts.isCallExpression(node) || ts.isPropertyAccessExpression(node) ? calleeOf(node.expression) : '';
}

/** Words of a string or of a template without what it fills in. */
function wordsOf(node: ts.Node | undefined): string {
  if (node === undefined) return '';
  if (ts.isStringLiteralLike(node)) return node.text;
  return ts.isTemplateExpression(node)
    ? [node.head, ...node.templateSpans.map(({ literal }) => literal)].map(({ text }) => text).join('…')
    : '';
}

/** `(invariants 5, 10 and 27)`, `(invariants 1 to 4)`. */
function numbersIn(title: string): readonly number[] {
  const list = /\(invariants? ([^)]+)\)/.exec(title)?.[1];
  return (list ?? '').split(/, | and /).flatMap((part) => {
    const [from = Number.NaN, to = from] = part.split(' to ').map(Number);
    return Number.isNaN(from) ? [] : Array.from({ length: to - from + 1 }, (_, i) => from + i);
  });
}

function storesOf({ around, looped }: Place, title: string): readonly string[] {
  return looped ?? storeKinds.filter((kind) => `${around} ${title}`.includes(kind));
}

function collect(node: ts.Node, place: Place, held: Map<number, Holding[]>): void {
  const inside = ts.isCallExpression(node) ? called(node, place, held) : { ...place, looped: loopOf(node) ?? place.looped };
  node.forEachChild((child) => collect(child, inside, held));
}

function loopOf(node: ts.Node): readonly string[] | undefined {
  return ts.isForOfStatement(node) && ts.isIdentifier(node.expression) ? kindsByName.get(node.expression.text) : undefined;
}

function called(call: ts.CallExpression, place: Place, held: Map<number, Holding[]>): Place {
  const callee = calleeOf(call.expression);
  const title = wordsOf(call.arguments[0]);
  if (callee === 'test') {
    const holding = { title: title.replace(/ \(invariants? [^)]+\)/, ''), file: place.file, stores: storesOf(place, title) };
    for (const number of numbersIn(title)) held.set(number, [...(held.get(number) ?? []), holding]);
  }
  if (!callee.startsWith('describe')) return place;
  const needs = ts.isCallExpression(call.expression) ? call.expression.arguments.map(wordsOf) : [];
  return { ...place, around: [place.around, ...needs, title].join(' ') };
}

/** Read from the titles of tests, which name the invariants that they hold. */
function holdings(): ReadonlyMap<number, readonly Holding[]> {
  const held = new Map<number, Holding[]>();
  for (const file of globSync(['test/**/*.test.ts', 'packages/*/src/**/*.test.ts'], { cwd: root }).sort()) {
    collect(sourceOf(file), { file, around: '', looped: null }, held);
  }
  return held;
}

/** Which test holds which invariant, on which store. Throws where one is held by none. */
export function invariantsDocument(): string {
  const held = holdings();
  const unheld: string[] = [];
  const sections = invariants.flatMap(([words, stores], index) => {
    const tests = held.get(index + 1) ?? [];
    const tested = new Set(tests.flatMap((one) => one.stores));
    const missing = stores?.filter((store) => !tested.has(store)) ?? [];
    if (tests.length === 0 || missing.length > 0)
      unheld.push(`${index + 1}${missing.length > 0 ? ` on ${missing.join(', ')}` : ''}: ${words}`);
    const lines = tests.map(({ title, file, stores: on }) => `- ${title} (\`${file}\`${on.length > 0 ? `; ${on.join(', ')}` : ''})`);
    return [`## ${index + 1}. ${words}`, '', ...lines, ''];
  });
  if (unheld.length > 0) throw new Error(`no test names these invariants:\n${unheld.join('\n')}`);
  const intro =
    'What the log and its readers promise, and the tests that hold them to it. A test names its invariants in its title; where it runs on several stores, they are listed. Generated from the tests by `scripts/invariants.ts`, which fails when one is held by none.';
  return ['# Invariants', '', intro, '', ...sections].join('\n');
}
