import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { catalogue, type EventCatalogue } from '@virtual-tutor/schemas';
import type { z } from 'zod';
import { variables } from '../packages/server/src/config-table.ts';
import type { Variable } from '../packages/server/src/variable.ts';
import { expectationsZh } from './expectations-zh.ts';
import { invariantsDocument } from './invariants.ts';
import { root } from './steps.ts';

type Language = 'en' | 'zh';

const wording = {
  en: {
    title: 'Configuration',
    intro:
      'Every setting is an environment variable, read once at start. A wrong value stops the start with the name of the variable and what it should be. Generated from `packages/server/src/config-table.ts`.',
    columns: ['Variable', 'Default', 'What it should be', 'Meaning'],
    tutorModel: 'Model of the tutor with this id, written exactly so; wins over the setting of its teacher',
    unset: 'not set',
    groups: {} as Readonly<Record<string, string>>,
  },
  zh: {
    title: '配置',
    intro:
      '所有设置都是环境变量，启动时读取一次。取值不正确时启动会停止，并指出变量名和正确的取值。本页由 `packages/server/src/config-table.ts` 生成。',
    columns: ['变量', '默认值', '取值', '含义'],
    tutorModel: '该 id（须完全一致）的老师所用的模型；优先于教师的设置',
    unset: '未设置',
    groups: {
      server: '服务',
      sessions: '课程',
      'language model': '语言模型',
      speech: '语音',
      WebRTC: 'WebRTC',
      avatar: '虚拟形象',
      data: '数据',
      limits: '限制',
    } as Readonly<Record<string, string>>,
  },
} as const;

function expectation(english: string, language: Language): string {
  if (language === 'en') return english;
  const chinese = expectationsZh[english];
  if (chinese === undefined) throw new Error(`scripts/expectations-zh.ts has no words for: ${english}`);
  return chinese;
}

function configuration(language: Language): string {
  const words = wording[language];
  const all: [string, Variable][] = Object.entries(variables);
  const groups = [...new Set(all.map(([, { group }]) => group))];
  const table = (group: string) => {
    const lines = all
      .filter(([, variable]) => variable.group === group)
      .map(
        ([name, { fallback, expects, meaning }]) =>
          `| \`${name}\` | ${fallback === null ? words.unset : `\`${fallback}\``} | ${expectation(expects, language)} | ${meaning[language]} |`,
      );
    if (group === 'language model')
      lines.push(
        `| \`TUTOR_{id}_LLM_MODEL\` | ${words.unset} | ${expectation(variables.DEFAULT_LLM_MODEL.expects, language)} | ${words.tutorModel} |`,
      );
    return [`## ${words.groups[group] ?? group}`, '', `| ${words.columns.join(' | ')} |`, '| --- | --- | --- | --- |', ...lines, ''];
  };
  return [`# ${words.title}`, '', words.intro, '', ...groups.flatMap(table)].join('\n');
}

/** Names of a schema's fields. */
function fieldsOf(schema: z.ZodObject): string {
  return Object.keys(schema.shape).join(', ');
}

function events(): string {
  const categories: [string, EventCatalogue][] = Object.entries(catalogue);
  const sections = categories.flatMap(([category, types]) => {
    const rows = Object.entries(types).map(([type, definition]) => {
      const personal = definition.personal === undefined ? '' : fieldsOf(definition.personal);
      return `| \`${type}\` | ${definition.version} | ${fieldsOf(definition.payload)} | ${personal} |`;
    });
    return [`## ${category}`, '', '| Event | Version | Payload | Sealed |', '| --- | --- | --- | --- |', ...rows, ''];
  });
  const intro =
    'Every fact that the log can hold. Sealed fields are encrypted under the key of the student they belong to, and become unreadable when she is forgotten. Generated from `packages/schemas`; the shapes are there.';
  return ['# Events', '', intro, '', ...sections].join('\n');
}

const documents = {
  'docs/configuration.md': configuration('en'),
  'docs/configuration.zh-CN.md': configuration('zh'),
  'docs/events.md': events(),
  'docs/invariants.md': invariantsDocument(),
};
const check = process.argv.includes('--check');
for (const [path, text] of Object.entries(documents)) {
  const file = join(root, path);
  if (!check) writeFileSync(file, text);
  else if (readFileSync(file, 'utf8') !== text) {
    console.log(`${path} is out of date: run \`node scripts/run.mjs scripts/generate-docs.ts\``);
    process.exit(1);
  }
}
