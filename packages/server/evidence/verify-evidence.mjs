#!/usr/bin/env node
/*
 * Checks an evidence pack of the Virtual Tutor Engine, offline, with nothing but Node 20 or later and this file. Written for itself:
 * it shares no code with the engine. Read it before you trust it.
 *
 *   node verify-evidence.mjs PACK [--fingerprint HASH] [--report FILE] [--json]
 *
 * A pack is a text file with one JSON object in each line: `pack`, `schema`, `seal`, `event`, `passage`, `report`, `end`.
 *
 *   contentHash = sha256( canonical JSON (RFC 8785) of {type, schemaVersion, payload, meta} || sha256(sealed) )
 *   hash        = sha256( hash before it || int64 revision || 16 bytes of the id || contentHash ); the first follows sha256(stream)
 *   leaf        = sha256( 0x00 || int64 position || hash ), node = sha256( 0x01 || left || right )         RFC 6962 section 2.1
 *   seals       : Ed25519 over their canonical JSON without `signature`; each names the sha256 of the one before it, signature included
 *   sealed      = salt (16) || commitment (32) || AES-256-GCM ciphertext || tag (16), nonce of zeros, aad "stream|id|type";
 *                 commitment || AES key = HMAC-SHA-512( key of this one event, "virtual-tutor event key" )
 *
 * Exit: 0 holds, 1 does not hold, 2 cannot be read. What it cannot tell: whether something was said later than the last event of the
 * pack, and, without --fingerprint from somewhere else, whose seals these are.
 */
import { createDecipheriv, createHash, createHmac, createPublicKey, verify } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

const sha256 = (...parts) => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
};
const hex = (bytes) => Buffer.from(bytes).toString('hex');
const int64 = (value) => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(BigInt(value));
  return bytes;
};

/** RFC 8785: ECMAScript writes numbers and strings as it asks; keys by their UTF-16 units. */
function canonical(value) {
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  const members = Object.keys(value)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`);
  return `{${members.join(',')}}`;
}

/** Node reads bad hex and base64 as far as it can: here a text must be the only one of its bytes. */
function bytesOf(text, encoding) {
  const bytes = Buffer.from(String(text), encoding);
  return bytes.toString(encoding) === text ? bytes : broken('pack', `it holds bad ${encoding}`);
}
const fromHex = (text) => bytesOf(text, 'hex');
const fromBase64 = (text) => bytesOf(text, 'base64');

class Broken extends Error {}
const broken = (where, reason) => {
  throw new Broken(`${where}: ${reason}`);
};
const placeOf = ({ stream, revision }) => `${stream} revision ${revision}`;

const publicKeyOf = (publicKey) =>
  createPublicKey({ key: Buffer.concat([fromHex('302a300506032b6570032100'), fromHex(publicKey)]), format: 'der', type: 'spki' });

/** What is wrong with a seal after those that `chain` tells of; null: nothing. */
function faultOf(seal, number, chain) {
  const { signature, ...statement } = seal;
  if (seal.sealNo !== number) return `is missing: seal ${seal.sealNo} stands in its place`;
  if (number === 0 ? seal.kind !== 'root' : seal.kind !== 'events' && seal.kind !== 'key') return 'is of another kind than belongs here';
  const key = number === 0 ? seal.publicKey : chain.publicKey;
  if (hex(sha256(fromHex(key))) !== seal.keyId) return 'names another key than the one that signs here';
  if (!verify(null, Buffer.from(canonical(statement)), publicKeyOf(key), fromHex(signature))) return 'was altered or forged';
  if (seal.previous !== chain.hash || (number > 0 && seal.logId !== chain.logId)) return 'does not follow from the seal before it';
  if (seal.kind === 'events' && (seal.first !== chain.last + 1 || seal.last < seal.first))
    return 'does not begin where the one before it ended';
  return null;
}

/** Follows the seals from the root statement. Returns them by number. */
function checkSeals(seals, fingerprint) {
  let chain = { publicKey: null, hash: null, logId: null, last: 0 };
  for (const [number, seal] of seals.entries()) {
    const fault = faultOf(seal, number, chain);
    if (fault !== null) broken(`seal ${number}`, fault);
    const hash = hex(sha256(canonical(seal)));
    if (number === 0 && fingerprint !== null && hash !== fingerprint)
      broken('seal 0', `these are the seals of another log: their fingerprint is ${hash}`);
    chain = { hash, logId: seal.logId, publicKey: seal.publicKey ?? chain.publicKey, last: seal.last ?? chain.last };
  }
  if (fingerprint !== null && seals.length === 0) broken('seals', 'there are none: nothing shows that this is the log you know');
  return new Map(seals.entries());
}

/** The root that a leaf and the hashes beside its way up lead to (RFC 9162 section 2.1.3.2). */
function rootOf(leaf, { index, size, path }) {
  let node = leaf;
  let [place, last] = [index, size - 1];
  for (const sibling of path) {
    if (last === 0) return null;
    if (place % 2 === 1 || place === last) {
      node = sha256(Buffer.of(1), sibling, node);
      while (place % 2 === 0 && place !== 0) [place, last] = [place / 2, Math.floor(last / 2)];
    } else {
      node = sha256(Buffer.of(1), node, sibling);
    }
    [place, last] = [Math.floor(place / 2), Math.floor(last / 2)];
  }
  return last === 0 ? node : null;
}

function checkProof(event, seals) {
  const { sealNo, path } = event.proof;
  const seal = seals.get(sealNo);
  if (seal?.kind !== 'events') broken(placeOf(event), `seal ${sealNo} is not in the pack`);
  if (event.position < seal.first || event.position > seal.last) broken(placeOf(event), `its place in the log is not under seal ${sealNo}`);
  const leaf = sha256(Buffer.of(0), int64(event.position), fromHex(event.hash));
  const root = rootOf(leaf, { index: event.position - seal.first, size: seal.last - seal.first + 1, path: path.map(fromHex) });
  if (root === null || hex(root) !== seal.merkleRoot) broken(placeOf(event), `it is not the event under seal ${sealNo}`);
}

/** The words, from the ciphertext that the log holds; null where no key is given. */
function wordsOf(event) {
  if (event.key === null) return null;
  if (event.sealed === null) broken(placeOf(event), 'it has a key and nothing to open');
  const sealed = fromBase64(event.sealed);
  const both = createHmac('sha512', fromBase64(event.key)).update('virtual-tutor event key').digest();
  if (!both.subarray(0, 32).equals(sealed.subarray(16, 48))) broken(placeOf(event), 'its key is not the key of these words');
  try {
    const cipher = createDecipheriv('aes-256-gcm', both.subarray(32), Buffer.alloc(12)).setAuthTag(sealed.subarray(-16));
    cipher.setAAD(Buffer.from(`${event.stream}|${event.id}|${event.type}`));
    return JSON.parse(Buffer.concat([cipher.update(sealed.subarray(48, -16)), cipher.final()]).toString());
  } catch {
    return broken(placeOf(event), 'its words cannot be opened: they belong to another event');
  }
}

function contentOf(event) {
  const { type, schemaVersion, payload, meta, sealed, sealedHash } = event;
  if (sealed !== null && hex(sha256(fromBase64(sealed))) !== sealedHash)
    broken(placeOf(event), 'its sealed words are not those that were hashed');
  const content = sha256(canonical({ type, schemaVersion, payload, meta }), sealedHash === null ? sha256('') : fromHex(sealedHash));
  return hex(content) === event.contentHash ? content : broken(placeOf(event), 'its content does not match its hash');
}

/** Contents, chains and seals. Returns the events with their words. */
function checkEvents(events, seals) {
  const heads = new Map();
  return events.map((event) => {
    const { stream, revision, id, proof } = event;
    const content = contentOf(event);
    const head = heads.get(stream) ?? { revision: 0, hash: sha256(stream) };
    if (revision !== head.revision + 1) broken(placeOf(event), `revision ${head.revision + 1} is missing before it`);
    const hash = sha256(head.hash, int64(revision), fromHex(id.replaceAll('-', '')), content);
    if (hex(hash) !== event.hash) broken(placeOf(event), 'it does not follow from the event before it');
    heads.set(stream, { revision, hash });
    if (proof !== null) checkProof(event, seals);
    return { ...event, personal: wordsOf(event) };
  });
}

/** Quoted passages are those that the log names. */
function checkPassages(passages, events) {
  const retrieved = events.filter(({ type }) => type === 'PassagesRetrieved').flatMap(({ payload }) => payload.passages);
  const hashes = new Set(retrieved.map(({ passageId, contentHash }) => `${passageId} ${contentHash}`));
  const titles = new Map(events.filter(({ type }) => type === 'DocumentAdded').map(({ payload }) => [payload.documentId, payload.title]));
  for (const { passageId, title, text } of passages) {
    if (titles.get(passageId.split('#')[0]) !== title) broken(`passage ${passageId}`, 'its title is not the one of its document');
    if (!hashes.has(`${passageId} ${hex(sha256(text))}`))
      broken(`passage ${passageId}`, 'its text is not the one that the tutor was given');
  }
}

const kinds = ['pack', 'schema', 'seal', 'event', 'passage', 'report', 'end'];

/** The lines of a pack, whole and of known kinds. */
function recordsOf(text) {
  const records = text
    .split('\n')
    .filter((line) => line !== '')
    .map((line, index) => {
      try {
        return JSON.parse(line);
      } catch {
        return broken(`line ${index + 1}`, 'it is not JSON: the pack is damaged');
      }
    });
  const stranger = records.findIndex(({ kind }) => !kinds.includes(kind));
  if (stranger !== -1) broken(`line ${stranger + 1}`, 'it is of a kind that this verifier does not know');
  const [head, end] = [records[0], records.at(-1)];
  if (head?.kind !== 'pack' || head.format !== 'virtual-tutor-evidence' || head.version !== 1)
    broken('pack', 'it is not an evidence pack of version 1');
  if (end.kind !== 'end' || end.lines !== records.length) broken('pack', 'its end is missing, or lines are');
  for (const once of ['pack', 'report', 'end'])
    if (records.filter(({ kind }) => kind === once).length !== 1) broken('pack', `it must have one line of the kind ${once}`);
  return records;
}

/** Throws `Broken`. `text`: the pack; `fingerprint`: what the auditor noted, or null. */
export function verifyEvidence(text, fingerprint) {
  const records = recordsOf(text);
  const of = (kind) => records.filter((record) => record.kind === kind).map((record) => record[kind]);
  const { kind: _, ...pack } = records[0];
  const seals = checkSeals(of('seal'), fingerprint);
  const events = checkEvents(of('event'), seals);
  if (!events.some(({ stream }) => stream === `session-${pack.sessionId}`)) broken('pack', 'it holds no event of its session');
  const passages = of('passage');
  checkPassages(passages, events);
  if (pack.redacted && (passages.length > 0 || events.some(({ sealed, key }) => sealed !== null || key !== null)))
    broken('pack', 'it says that words are withheld, and holds some');
  const root = seals.get(0);
  const found = root === undefined ? null : hex(sha256(canonical(root)));
  if (pack.fingerprint !== found) broken('pack', 'it names another log than its seals do');
  const report = reportOf({ pack, events, passages });
  if (of('report')[0] !== report) broken('report', 'it does not say what the events say');
  const sealed = events.filter(({ proof }) => proof !== null).length;
  return { sessionId: pack.sessionId, redacted: pack.redacted, events: events.length, sealed, fingerprint: found, report };
}

const escaped = (text) => String(text).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
const gone = { true: '（未公开 · withheld）', false: '（已删除 · erased）' };
const seconds = (ms) => `${(ms / 1000).toFixed(1)} s`;

/** What a sentence became: read, heard whole or in part, or neither. */
function heardOf(sentence, { heard, shown }) {
  const playout = heard.get(`${sentence.payload.turnId} ${sentence.payload.index}`);
  if (playout === undefined) return shown.has(sentence.payload.turnId) ? '未送达 · never reached the student' : '';
  if (playout.medium === 'text') return '已显示 · shown';
  return playout.heardMs >= playout.durationMs
    ? `已听完 · heard, ${seconds(playout.durationMs)}`
    : `听到 ${seconds(playout.heardMs)} / ${seconds(playout.durationMs)} · heard in part`;
}

/** The lesson for people to read, in Chinese and English; the same events make the same bytes. */
export function reportOf({ pack, events, passages }) {
  const lesson = events.filter(({ stream }) => stream === `session-${pack.sessionId}`);
  const created = lesson[0]?.payload ?? {};
  const tutor = events.findLast(({ type, revision }) => type === 'TutorConfigured' && revision <= created.tutorRevision)?.payload.after;
  const texts = new Map(passages.map((passage) => [passage.passageId, passage]));
  const known = {
    heard: new Map(
      lesson.filter(({ type }) => type === 'SentenceHeard').map(({ payload }) => [`${payload.turnId} ${payload.index}`, payload.playout]),
    ),
    shown: new Set(lesson.filter(({ type }) => /^Reply(Completed|Interrupted|Failed)$/.test(type)).map(({ payload }) => payload.turnId)),
  };
  const words = ({ personal }, field) => (personal === null ? gone[pack.redacted] : personal[field]);
  const entry = (event) => {
    const { type, payload, meta } = event;
    switch (type) {
      case 'MessageReceived':
        return ['student', `学生 · Student (${payload.modality === 'voice' ? '语音 · spoken' : '文字 · typed'})`, words(event, 'text'), ''];
      case 'PassagesRetrieved':
        return payload.passages.map(({ passageId, score }) => {
          const passage = texts.get(passageId);
          const title = `资料 · Passage ${passageId}${passage === undefined ? '' : ` — ${passage.title}`} (${score.toFixed(2)})`;
          return ['passage', title, passage?.text ?? gone[pack.redacted], ''];
        });
      case 'ReplyStarted': {
        const how = `${payload.provider} ${payload.model}, T = ${payload.temperature}, tutor r${payload.tutorRevision}, prompt ${payload.promptHash.slice(0, 16)}…`;
        return ['note', '回答 · Reply', how, ''];
      }
      case 'SentenceGenerated':
        return ['tutor', '导师 · Tutor', words(event, 'text'), heardOf(event, known)];
      case 'ReplyInterrupted':
        return ['note', `被打断 · Interrupted (${payload.by})`, words(event, 'heardText'), ''];
      case 'ReplyFailed':
        return ['note', '回答失败 · The reply failed', payload.code, ''];
      case 'SessionEnded':
        return ['note', '课程结束 · The lesson ended', payload.reason, ''];
      default:
        return ['event', type, '', meta.actor.kind];
    }
  };
  const rows = lesson.flatMap((event) => {
    const made = entry(event);
    return (Array.isArray(made[0]) ? made : [made]).map(
      ([kind, title, text, aside]) =>
        `<tr class="${kind}"><td>${event.revision}</td><td>${escaped(event.meta.occurredAt)}</td><td><b>${escaped(title)}</b>` +
        `${text === '' ? '' : `<p>${escaped(text)}</p>`}${aside === '' ? '' : `<i>${escaped(aside)}</i>`}</td></tr>`,
    );
  });
  const facts = [
    ['课程 · Lesson', pack.sessionId],
    ['学生 · Student', created.studentId],
    ['导师 · Tutor', `${tutor?.name ?? created.tutorId} (${created.tutorId}, r${created.tutorRevision})`],
    ['导师设置 · Instructions', tutor?.systemPrompt],
    ['知识库 · Knowledge base', created.knowledgeBaseId],
    ['开始 · Began', lesson[0]?.meta.occurredAt],
    ['事件 · Events', `${lesson.length}; ${lesson.filter(({ proof }) => proof !== null).length} 已封存 · sealed`],
    ['导出 · Exported', `${pack.exportedAt}, engine ${pack.engine}`],
    ['日志指纹 · Fingerprint of the log', pack.fingerprint],
    ['最后事件的哈希 · Hash of the last event', lesson.at(-1)?.hash],
  ];
  return [
    '<!doctype html><html lang="zh"><head><meta charset="utf-8"><title>Evidence</title>',
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">`,
    '<style>body{font:15px/1.5 sans-serif;max-width:60em;margin:2em auto;padding:0 1em;color:#222}table{border-collapse:collapse;width:100%}',
    'td,th{text-align:left;vertical-align:top;padding:.3em .6em;border-top:1px solid #ccc}th{width:15em}p{margin:.2em 0;white-space:pre-wrap}',
    '.student{background:#eef4ff}.tutor{background:#f3faf0}.passage p{font-size:85%}.event{color:#777;font-size:85%}i{color:#555}</style></head><body>',
    '<h1>课程证据 · Evidence of a lesson</h1>',
    '<p>此页的每一行都可用 verify-evidence.mjs 对照日志核验。Every line of this page is checked against the log by verify-evidence.mjs.</p>',
    pack.redacted ? '<p><b>个人内容未公开，核验不受影响。Personal words are withheld; what is here still verifies.</b></p>' : '',
    `<table>${facts.map(([name, value]) => `<tr><th>${name}</th><td>${escaped(value ?? '—')}</td></tr>`).join('')}</table>`,
    `<h2>经过 · What happened</h2><table>${rows.join('\n')}</table></body></html>`,
  ].join('\n');
}

const usage = 'node verify-evidence.mjs PACK [--fingerprint HASH] [--report FILE] [--json]';

/** The verdict as an object, and the report where it holds. */
function judged(file, fingerprint) {
  try {
    const { report, ...verified } = verifyEvidence(readFileSync(file, 'utf8'), fingerprint);
    return { verdict: { verdict: 'holds', trusted: fingerprint !== null, ...verified }, report };
  } catch (error) {
    const verdict = error instanceof Broken ? 'broken' : 'unreadable';
    return { verdict: { verdict, reason: error.message }, report: null };
  }
}

function inWords({ verdict, reason, events, sealed, redacted, fingerprint, trusted }) {
  if (verdict === 'unreadable') return `it cannot be read: ${reason}`;
  if (verdict === 'broken') return `BROKEN ${reason}`;
  return [
    `holds: ${events} events, ${sealed} of them sealed${redacted ? ', words withheld' : ''}`,
    `fingerprint ${fingerprint}${trusted ? ', as you gave it' : ': compare it with the one that you noted'}`,
  ].join('\n');
}

function main([file, ...options]) {
  const given = (name) => (options.includes(name) ? options[options.indexOf(name) + 1] : undefined);
  if (file === undefined) {
    process.stderr.write(`${usage}\n`);
    return 2;
  }
  const { verdict, report } = judged(file, given('--fingerprint') ?? null);
  const to = given('--report');
  if (to !== undefined && report !== null) writeFileSync(to, report);
  process.stdout.write(`${options.includes('--json') ? JSON.stringify(verdict) : inWords(verdict)}\n`);
  return { holds: 0, broken: 1, unreadable: 2 }[verdict.verdict];
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) process.exitCode = main(process.argv.slice(2));
