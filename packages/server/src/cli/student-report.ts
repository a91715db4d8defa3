import type { AuditedEvent, ExportItem } from '@virtual-tutor/schemas';

/* What a student gets who asks what is known about her. Piece by piece: a life of lessons does not fit into memory. */

type Pages = AsyncIterable<readonly ExportItem[]>;

export async function* asJson(pages: Pages): AsyncGenerator<string, void, undefined> {
  let before = '[\n';
  for await (const page of pages) {
    for (const item of page) {
      yield `${before}${JSON.stringify(item)}`;
      before = ',\n';
    }
  }
  yield '\n]\n';
}

export async function* asHtml(pages: Pages): AsyncGenerator<string, void, undefined> {
  yield head;
  for await (const page of pages) yield page.map(part).join('');
  yield '</table>\n</html>\n';
}

const head = `<!doctype html>
<html lang="zh">
<meta charset="utf-8">
<meta http-equiv="content-security-policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>关于您的全部记录 · Everything about you</title>
<style>
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
  table { border-collapse: collapse; width: 100%; }
  td, th { border-bottom: 1px solid #ccc; padding: 0.3rem 0.6rem; text-align: left; vertical-align: top; }
  td:first-child { white-space: nowrap; }
  .words { white-space: pre-wrap; }
  code { color: #555; font-size: 0.8rem; overflow-wrap: anywhere; }
</style>
`;

const columns = `<tr><th>时间 · Time<th>谁 · Who<th>事件 · Event<th>内容 · Content`;

function part(item: ExportItem): string {
  switch (item.type) {
    case 'student': {
      const { studentId, exportedAt, forgotten, wordsDays } = item;
      const kept = wordsDays === null ? '不限期，直到被遗忘 · until you are forgotten' : `${wordsDays} 天 · days`;
      return `<h1>关于您的全部记录 · Everything about you</h1>
<p>${escaped(studentId)} — ${escaped(exportedAt)}
<p>课后对话内容保存时长 · Words are kept after a lesson for: ${kept}
${forgotten ? '<p>您已被遗忘，对话内容已不可读。 · You were forgotten: the words can no longer be read.\n' : ''}<h2>学校 · School</h2>
<table>${columns}
`;
    }
    case 'session': {
      const { sessionId, createdAt, tutor } = item;
      const by = `${tutor.configuredBy.kind} ${tutor.configuredBy.id}`;
      return `</table>
<h2>课程 · Lesson ${escaped(createdAt)}</h2>
<p>老师 · Tutor: ${escaped(tutor.name)} (${escaped(tutor.id)}, ${tutor.revision}) — 由 ${escaped(by)} 设置于 ${escaped(tutor.configuredAt)} · configured by ${escaped(by)}, ${escaped(tutor.configuredAt)}
<p><code>${sessionId}</code>
<table>${columns}
`;
    }
    case 'event':
      return row(item.event);
  }
}

function row({ occurredAt, actor, type, payload, personal }: AuditedEvent): string {
  const words =
    personal === null
      ? '（已不可读 · no longer readable）'
      : Object.values(personal ?? {})
          .map((value) => (typeof value === 'string' ? value : JSON.stringify(value)))
          .join('\n');
  const said = words === '' ? '' : `<div class="words">${escaped(words)}</div>`;
  const who = `${actors[actor.kind]} ${escaped(actor.id)}`;
  return `<tr><td>${escaped(occurredAt)}<td>${who}<td>${escaped(names[type] ?? type)}<td>${said}<code>${escaped(JSON.stringify(payload))}</code>\n`;
}

const actors: { readonly [K in AuditedEvent['actor']['kind']]: string } = {
  student: '学生 · student',
  teacher: '教师 · teacher',
  operator: '管理员 · operator',
  auditor: '审计员 · auditor',
  system: '系统 · system',
};

/** An event of a newer engine has its own name. */
const names: Readonly<Record<string, string>> = {
  SessionCreated: '课程创建 · lesson created',
  JoinLinkIssued: '发出邀请链接 · link issued',
  JoinLinkRedeemed: '使用邀请链接 · link used',
  SessionHosted: '由节点承载 · hosted by a node',
  SessionReleased: '节点释放 · released by a node',
  MessageReceived: '您说 · you said',
  PassagesRetrieved: '查阅课文 · passages looked up',
  ReplyStarted: '开始回答 · reply began',
  ReplyResumed: '继续回答 · reply went on',
  SentenceGenerated: '老师说 · the tutor said',
  SentenceHeard: '已听到或读到 · heard or read',
  ReplyCompleted: '回答完成 · reply complete',
  ReplyInterrupted: '回答被打断，您听到 · reply interrupted, you heard',
  ReplyFailed: '回答失败 · reply failed',
  MediaConnected: '音视频接通 · voice and video connected',
  MediaDisconnected: '音视频断开 · voice and video disconnected',
  QualityChanged: '质量变化 · quality changed',
  SessionEnded: '课程结束 · lesson ended',
  SessionWordsExpired: '对话内容到期删除 · words expired',
  RetentionConfigured: '设置保存时长 · time to keep words configured',
  StudentExported: '导出记录 · exported',
  StudentForgotten: '被遗忘 · forgotten',
};

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
